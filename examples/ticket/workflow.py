"""The one name that the seven services share."""

from stamp import Workflow

ticket = Workflow("ticket")

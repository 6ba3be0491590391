"""`stamp contracts`: what services have told one another of themselves, into a folder and back."""

from __future__ import annotations

from stamp.cli.contracts.group import command

__all__ = ["command"]

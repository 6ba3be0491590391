"""Seven services that repair things: a choreographed workflow, from a customer's trouble to a customer's opinion.

Each module is one service, with the fields it writes and the views through which it reads. No service imports
another one. They are imported together here so that one process can play the whole workflow.
"""

from . import assignment, billing, intake, notification, resolution, survey, validation
from .workflow import ticket

__all__ = ["assignment", "billing", "intake", "notification", "resolution", "survey", "ticket", "validation"]

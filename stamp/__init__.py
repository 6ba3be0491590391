"""Workflow state that travels inside the workflow's own messages."""

from stamp.envelope import Contribution, Envelope, Failure, Limits, Outcome
from stamp.errors import StampError
from stamp.workflow import Fail, From, Outgoing, StepContext, Workflow

__version__ = "0.1.0"

__all__ = [
    "Contribution",
    "Envelope",
    "Fail",
    "Failure",
    "From",
    "Limits",
    "Outcome",
    "Outgoing",
    "StampError",
    "StepContext",
    "Workflow",
    "__version__",
]

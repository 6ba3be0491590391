"""The envelope: its bytes, its contributions, and what they add up to."""

from stamp.envelope.contribution import Contribution, Outcome, Signature
from stamp.envelope.document import document
from stamp.envelope.envelope import Envelope
from stamp.envelope.failure import Failure
from stamp.envelope.format import CONTENT_TYPE, MAGIC
from stamp.envelope.limits import LIMITS, Limits
from stamp.envelope.state import Provenance, Written
from stamp.envelope.timeline import Moment

__all__ = [
    "CONTENT_TYPE",
    "LIMITS",
    "MAGIC",
    "Contribution",
    "Envelope",
    "Failure",
    "Limits",
    "Moment",
    "Outcome",
    "Provenance",
    "Signature",
    "Written",
    "document",
]

"""What of a schema's models is code, and seen by nobody who has the schema alone."""

from __future__ import annotations

from stamp.schema.extent import visits
from stamp.schema.types import Type

__all__ = ["validators"]


def validators(root: Type) -> tuple[str, ...]:
    """Return the names of the models, and of their fields (`Ticket.text`), that have validators, each once."""
    found: dict[str, None] = {}
    for visit in visits(root):
        if visit.type.validator:
            found[visit.type.validator] = None
        for field in visit.type.fields:
            found |= dict.fromkeys(field.constraint.validators)
    return tuple(found)

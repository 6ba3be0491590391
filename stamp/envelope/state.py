"""The flat state of a workflow: a fold over its contributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from stamp.envelope.contribution import Contribution, Outcome
from stamp.schema.values import instant

__all__ = ["Provenance", "Written", "fold"]


class Provenance(NamedTuple):
    """Who wrote the present value of a field, and when. `version` is that of the contract, None when no contract is known."""

    step: str
    version: int | None
    completed_at: datetime
    event: str


class Written(NamedTuple):
    """A contribution whose payload has been read."""

    contribution: Contribution
    version: int | None
    data: Mapping[str, Any]


def fold(history: Iterable[Written]) -> dict[str, tuple[Any, Provenance]]:
    """Return every field that was written, with its latest value and who wrote that. What failed steps carry is no state."""
    state = {}
    for each, version, data in history:
        if each.outcome is not Outcome.FAILED:
            source = Provenance(each.step, version, instant(each.completed_at), each.event)
            state.update({name: (value, source) for name, value in data.items()})
    return state

"""The flat state of a workflow: a fold over its contributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from stamp.envelope.contribution import Contribution, Outcome
from stamp.schema.values import instant

__all__ = ["FAILURE", "Provenance", "Written", "fold"]

FAILURE: Final = ".failure"
"""What stands after the name of a step, in place of the name of a field: no field has a dot in its name."""


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
    """Return every field that was written, with its latest value and who wrote that.

    The fields of what failed steps carry are no state. Why a step failed stands as a whole under `<step>.failure`, until it succeeds.
    """
    state: dict[str, tuple[Any, Provenance]] = {}
    for each, version, data in history:
        source, failure = Provenance(each.step, version, instant(each.completed_at), each.event), each.step + FAILURE
        state.pop(failure, None)
        written = {failure: data} if each.outcome is Outcome.FAILED else data
        state.update({name: (value, source) for name, value in written.items()})
    return state

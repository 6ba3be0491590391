"""What can go wrong while versions of several services run side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from stamp.schema.jsonfile import JsonFile

__all__ = ["Hazard", "Kind", "explain"]


class Kind(StrEnum):
    """What goes wrong."""

    UNREADABLE = "unreadable"
    """A view meets a version that it cannot read."""

    UNHEARD = "unheard"
    """An event comes to a step that does not listen to it, or not yet, or no longer."""

    STARVED = "starved"
    """A step gets none of its events."""

    REPEATED = "repeated"
    """A step gets two events of one run."""

    LACKING = "lacking"
    """A step gets an event without a contribution that it must read."""

    UNATTENDED = "unattended"
    """An event that steps listened to has none of them left, while it is still published."""

    DOUBLED = "doubled"
    """A step and the one that it takes an event over from both get it."""

    ORPHANED = "orphaned"
    """Neither of the two gets it."""


class Hazard(NamedTuple):
    """One thing that goes wrong for `step`, as it is in the baseline or, when `is_new`, as it is now.

    `cause` is an event for `UNHEARD` and `UNATTENDED` (where `step` publishes it), those that come for `REPEATED`, the step that was there before for
    `DOUBLED` and `ORPHANED`, else the step whose contribution is read. Of `UNREADABLE` data there are the view, the file and
    the name of the version, the first field in question, and whether the version is one that the baseline lacks.
    """

    kind: Kind
    step: str
    is_new: bool
    cause: str = ""
    view: JsonFile | None = None
    written: JsonFile | None = None
    version: str = ""
    path: str = ""
    is_new_data: bool = False


def explain(hazard: Hazard) -> str:
    """Return what goes wrong, for a sentence."""
    return _TEXTS[hazard.kind](hazard)


def _who(hazard: Hazard) -> str:
    return f"{hazard.step} {'with its new contract' if hazard.is_new else 'as it runs now'}"


def _unreadable(hazard: Hazard) -> str:
    written = "will be written with" if hazard.is_new_data else "may still be there of"
    return f"{_who(hazard)} cannot read {hazard.path} of data that {written} {hazard.version}"


def _unheard(hazard: Hazard) -> str:
    if hazard.is_new:
        return f"{hazard.step} no longer listens to {hazard.cause} with its new contract, while that would still be published"
    return f"{hazard.step} does not listen to {hazard.cause} yet, which would be published"


def _starved(hazard: Hazard) -> str:
    return f"{_who(hazard)} would get none of its events"


def _lacking(hazard: Hazard) -> str:
    return f"{_who(hazard)} reads {hazard.cause}, which would not have contributed on every way to it"


def _repeated(hazard: Hazard) -> str:
    return f"{hazard.step} would be triggered twice in one run, by {hazard.cause}"


def _unattended(hazard: Hazard) -> str:
    return f"{hazard.step} would still publish {hazard.cause}, and who listens to it would be gone"


def _doubled(hazard: Hazard) -> str:
    return f"{hazard.step} and {hazard.cause}, whose event it takes over, would both work on one run"


def _orphaned(hazard: Hazard) -> str:
    return f"neither {hazard.cause} nor {hazard.step}, which takes its event over, would work on a run"


_TEXTS: Final[Mapping[Kind, Callable[[Hazard], str]]] = {
    Kind.UNREADABLE: _unreadable,
    Kind.UNHEARD: _unheard,
    Kind.STARVED: _starved,
    Kind.REPEATED: _repeated,
    Kind.LACKING: _lacking,
    Kind.UNATTENDED: _unattended,
    Kind.DOUBLED: _doubled,
    Kind.ORPHANED: _orphaned,
}

"""What can go wrong while versions of several services run side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from stamp.schema.jsonfile import JsonFile

__all__ = ["Hazard", "Kind", "explain", "way_out"]


class Kind(StrEnum):
    """What goes wrong."""

    UNREADABLE = "unreadable"
    """A view meets a version that it cannot read."""

    UNHEARD = "unheard"
    """An event comes to a step that does not listen to it, or not yet, or no longer."""

    STARVED = "starved"
    """A step gets none of its events."""

    LACKING = "lacking"
    """A step gets an event without a contribution that it must read."""


class Hazard(NamedTuple):
    """One thing that goes wrong for `step`, as it is in the baseline or, when `is_new`, as it is now.

    `cause` is an event for `UNHEARD`, else the step whose contribution is read. Of `UNREADABLE` data there are the view, the file and
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

    @property
    def subject(self) -> tuple[str, ...]:
        """What is to be mended: of the hazards with one subject, one way out mends all."""
        if self.kind in {Kind.UNHEARD, Kind.STARVED}:
            return self.step, "events"
        return self.step, self.cause, self.path


def explain(hazard: Hazard) -> str:
    """Return what goes wrong, for a sentence."""
    return _TEXTS[hazard.kind].what(hazard)


def way_out(hazard: Hazard) -> str:
    """Return what to do instead, as expand and contract."""
    return _TEXTS[hazard.kind].way_out(hazard)


def _who(hazard: Hazard) -> str:
    return f"{hazard.step} {'with its new contract' if hazard.is_new else 'as it runs now'}"


def _unreadable(hazard: Hazard) -> str:
    written = "will be written with" if hazard.is_new_data else "may still be there of"
    return f"{_who(hazard)} cannot read {hazard.path} of data that {written} {hazard.version}"


def _readable(hazard: Hazard) -> str:
    path, version = hazard.path, hazard.version
    if not hazard.is_new_data:
        return (
            f"Expand: let {hazard.step} read {path} of {version} as well as of what follows it (a default, an alias, a union), and deploy it. "
            f'Contract: when no data of {version} are left, say so under "retired" in the step.json of {hazard.cause}, then narrow the view'
        )
    return (
        f"Expand: let {hazard.cause} write what is new beside {path}, and deploy it; then change {hazard.step}. "
        f"Contract: remove the old from {hazard.cause} when nobody reads it any more"
    )


def _unheard(hazard: Hazard) -> str:
    if hazard.is_new:
        return f"{hazard.step} no longer listens to {hazard.cause} with its new contract, while that would still be published"
    return f"{hazard.step} does not listen to {hazard.cause} yet, which would be published"


def _heard(hazard: Hazard) -> str:
    if hazard.is_new:
        return (
            f"Expand: let {hazard.step} go on listening to {hazard.cause} beside what is new. "
            f"Contract: let it drop that when nobody publishes it any more and its queue has none left"
        )
    return (
        f"Expand: let {hazard.step} listen to {hazard.cause} as well as to what it listens to now, and deploy that; then let others publish it. "
        f"Contract: let {hazard.step} drop the old event when its queue has none left"
    )


def _starved(hazard: Hazard) -> str:
    return f"{_who(hazard)} would get none of its events"


def _fed(hazard: Hazard) -> str:
    return (
        f"Expand: give the new flow events of new names, and let {hazard.step} listen to the old ones and the new ones. Switch the step "
        "where the flows part last. Contract: drop the old events when no run has them any more"
    )


def _lacking(hazard: Hazard) -> str:
    return f"{_who(hazard)} reads {hazard.cause}, which would not have contributed on every way to it"


def _present(hazard: Hazard) -> str:
    return (
        f'Expand: let {hazard.step} do without {hazard.cause} ("optional" in its step.json), and deploy it. Contract: demand it when '
        "every run that is under way has it"
    )


class _Texts(NamedTuple):
    what: Callable[[Hazard], str]
    way_out: Callable[[Hazard], str]


_TEXTS: Final[Mapping[Kind, _Texts]] = {
    Kind.UNREADABLE: _Texts(_unreadable, _readable),
    Kind.UNHEARD: _Texts(_unheard, _heard),
    Kind.STARVED: _Texts(_starved, _fed),
    Kind.LACKING: _Texts(_lacking, _present),
}

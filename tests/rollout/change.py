"""A change of some services: how their modules are edited, which come, which go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Change", "Edit", "Modules", "edited"]

Modules = Mapping[str, str]
"""The module of each step."""


class Edit(NamedTuple):
    """In the module of `step` the text `old` becomes `new`, wherever it stands."""

    step: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change and how it is deployed.

    `added` are modules of steps that come, `removed` steps that go, `before` those of steps that are there before beside the example's.

    `hears`: new listeners that must hear of every run which is started when the change is deployed, by step the end of such runs. `drains`: the
    change begins when all runs that are under way have ended, because what waits in queues would be handled by nobody. `stops_first`: old instances
    are stopped before new ones start; else both run side by side. `waits`: for how many seconds neither, or both, are there.

    `order` is how the change is deployed against the plan. `warns` is the rule of the warning that says how to deploy it: a safe change heeds it, an
    unsafe one does not. Of the unsafe changes only those without either are called errors.
    """

    name: str
    edits: Sequence[Edit] = ()
    added: Modules = field(default_factory=dict)
    removed: Sequence[str] = ()
    before: Modules = field(default_factory=dict)
    hears: Mapping[str, str] = field(default_factory=dict)
    drains: bool = False
    stops_first: bool = False
    waits: float = 0.0
    order: Sequence[str] = ()
    warns: str = ""

    @property
    def steps(self) -> Sequence[str]:
        """The steps that are concerned, in the order in which the change names them."""
        return list(dict.fromkeys([*self.added, *(each.step for each in self.edits), *self.removed]))


def edited(modules: Modules, change: Change) -> dict[str, str]:
    """Return the modules after a change.

    Raises:
        LookupError: a text that is to be edited is not there.
    """
    result = {step: text for step, text in {**modules, **change.added}.items() if step not in change.removed}
    for step, old, new in change.edits:
        if old not in result[step]:
            raise LookupError(f"{change.name}: the module of {step} has no {old!r}")
        result[step] = result[step].replace(old, new)
    return result

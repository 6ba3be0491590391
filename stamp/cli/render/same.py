"""Impacts of which the same is to be said: one cause, and several steps that it breaks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from stamp.compat import Finding, Fragment
from stamp.ripple import Impact
from stamp.ripple.wording import listed

__all__ = ["Same", "grouped"]


@dataclass(frozen=True)
class Same:
    """Impacts that differ in who is broken and by which route, or in the baseline that they were found with."""

    impacts: tuple[Impact, ...]

    @property
    def first(self) -> Impact:
        """The impact that stands for all."""
        return self.impacts[0]

    @property
    def finding(self) -> Finding:
        """What is said of it."""
        return self.first.finding

    @cached_property
    def consumers(self) -> tuple[str, ...]:
        """Who breaks."""
        return tuple(dict.fromkeys(impact.consumer for impact in self.impacts if impact.consumer is not None))

    @cached_property
    def baselines(self) -> tuple[str, ...]:
        """What it was found by comparing with."""
        return tuple(dict.fromkeys(impact.baseline for impact in self.impacts if impact.baseline is not None))

    @cached_property
    def carriers(self) -> tuple[str, ...]:
        """Who only carries it."""
        found = dict.fromkeys(step for impact in self.impacts for step in impact.carriers)
        return tuple(step for step in found if step not in self.consumers)

    @cached_property
    def faults(self) -> tuple[Finding, ...]:
        """What is at the bottom of it, for each of the impacts."""
        found = (leaf for impact in self.impacts for cause in impact.finding.causes for leaf in cause.leaves())
        return tuple(dict.fromkeys(found))

    @property
    def message(self) -> str:
        """What is said, without the cause and the route, which stand apart."""
        message = self.finding.message
        for cause in self.finding.causes[:1]:
            message = message.partition(f": {cause.message}")[0]
        if len(self.consumers) > 1 and message.startswith(self.consumers[0]):
            message = f"{listed(self.consumers)}{_of_several(message.removeprefix(self.consumers[0]))}"
        return message

    def places(self, fragments: Iterable[Fragment | None]) -> list[str]:
        """Return where fragments stand, as people open files: `file:line:column`."""
        return list(dict.fromkeys(map(_place, filter(None, fragments))))


def _of_several(predicate: str) -> str:
    """Return what is said of one step, as it is said of several."""
    predicate = predicate.replace(" as it runs now ", " as they run now ", 1)
    return re.sub(r"^((?: as they run now)?) reads ", r"\1 read ", predicate)


def grouped(impacts: Iterable[Impact]) -> list[Same]:
    """Return impacts with those that say the same together, each group where its first one is."""
    found: dict[tuple[object, ...], list[Impact]] = {}
    for impact in impacts:
        found.setdefault(tuple(_key(impact)), []).append(impact)
    return [Same(tuple(each)) for each in found.values()]


def _key(impact: Impact) -> Iterator[object]:
    finding = impact.finding
    yield from (finding.severity, finding.rule, impact.workflow, impact.producer, finding.path)
    if not finding.causes:
        yield finding.message
        return
    yield from (
        impact.versions,
        *(leaf.rule for leaf in finding.leaves()),
        *(leaf.message for leaf in finding.leaves()),
    )


def _place(fragment: Fragment) -> str:
    return ":".join(str(each) for each in (fragment.file, fragment.line, fragment.column) if each is not None)

"""What a rule of workflows is: a look at contracts and their changes, and the words about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from stamp.compat import Finding, Fragment, Severity
from stamp.ripple.contracts import Version
from stamp.ripple.graph import Route
from stamp.ripple.pairs import Pair
from stamp.ripple.study import Study

__all__ = ["Example", "Issue", "Look", "Rule"]


class Issue(NamedTuple):
    """What a rule has to say; the same facts as in an `Impact`. `severity` is that of the rule when it is None.

    `place` is what has to be changed, `other` what stands against it. The `causes` are about the files of `pair`.
    """

    workflow: str
    path: str
    message: str
    severity: Severity | None = None
    place: Fragment | None = None
    other: Fragment | None = None
    causes: tuple[Finding, ...] = ()
    consumer: str | None = None
    producer: str | None = None
    versions: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    carriers: tuple[str, ...] = ()
    baseline: str | None = None
    pair: Pair | None = None

    @classmethod
    def of_version(
        cls,
        workflow: str,
        version: Version,
        message: str,
        *,
        place: Fragment | None,
        other: Fragment | None = None,
        baseline: str | None = None,
    ) -> Issue:
        """Return what there is to say of one version of what a step writes."""
        return cls(
            workflow,
            version.step,
            message,
            place=place,
            other=other,
            producer=version.step,
            versions=(str(version),),
            baseline=baseline,
        )


Look: TypeAlias = Callable[[Study], Iterator[Issue]]


class Example(NamedTuple):
    """A small workflow that a rule has something to say of, as `stamp.ripple.example.files` takes it, what it was before, and in which mode."""

    now: Mapping[str, Any]
    before: Mapping[str, Any] | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: `look` yields what it finds. `title` is a sentence for a list, `why` says what goes wrong, `remedy` what to do."""

    id: str
    severity: Severity
    title: str
    why: str
    remedy: str
    example: Example
    look: Look

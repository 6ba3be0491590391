"""A finding is accepted that is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from stamp.compat import Severity
from stamp.ripple.acceptance import Acceptance
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed

MAX_TOLD: Final = 3
"""How many paths are told at which the rule has found something."""


def look(_: Study) -> Iterator[Issue]:
    """Find nothing in contracts: `stamp.ripple.accept` looks at entries, when everything else has been found."""
    yield from ()


def of(entry: Acceptance, *, elsewhere: Collection[str]) -> Issue:
    """Return what to say of an entry that has matched nothing; `elsewhere` are the paths at which its rule has found something."""
    where = f" of {entry.workflow}" if entry.workflow is not None else ""
    there = f" ({entry.rule} is found at {listed(sorted(elsewhere)[:MAX_TOLD])})" if elsewhere else ""
    return Issue(
        entry.workflow or "",
        entry.path,
        f"{entry.rule} is accepted at {entry.path}{where}, and nothing there is found{there}: remove the entry, or correct its path",
        place=entry.place,
    )


RULE = Rule(
    id="acceptance-unused",
    severity=Severity.WARNING,
    title="A finding is accepted that is not there",
    why="What was accepted is mended, or its path is written otherwise. Such an entry would hide, unseen, the next finding that it fits.",
    remedy=(
        "Remove the entry, or correct its rule, path or workflow. The path is the one that stands beside the finding; `*` stands for "
        "any part of it. Entries are the tables `[[tool.stamp.accept]]` of pyproject.toml and `[[accept]]` of stamp.toml."
    ),
    example=Example(now={}),
    look=look,
)

"""The change that is checked says itself which of its findings are accepted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from stamp.compat import Severity
from stamp.ripple.acceptance import Acceptance
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(_: Study) -> Iterator[Issue]:
    """Find nothing in contracts: `stamp.ripple.accept` looks at entries, when everything else has been found."""
    yield from ()


def issues(entries: Collection[Acceptance], known: Collection[Acceptance] | None) -> Iterator[Issue]:
    """Yield what to say of entries that are not among the `known` ones, wherever those stood."""
    if known is None:
        return
    before = {replace(each, file=None, line=None) for each in known}
    for entry in entries:
        if replace(entry, file=None, line=None) not in before:
            yield _issue(entry, [each for each in before if _key(each) == _key(entry)])


def _issue(entry: Acceptance, before: Collection[Acceptance]) -> Issue:
    done = f"is accepted otherwise than before ({' or '.join(sorted(map(_said, before)))})" if before else "is accepted"
    return Issue(
        entry.workflow or "",
        entry.path,
        f"{entry.rule} at {entry.path} {done} by this change itself: {_said(entry)}",
        place=entry.place,
    )


def _key(entry: Acceptance) -> tuple[str, str, str | None]:
    return entry.rule, entry.path, entry.workflow


def _said(entry: Acceptance) -> str:
    return f"{entry.reason}, {f'until {entry.until}' if entry.until else 'for ever'}"


RULE = Rule(
    id="acceptance-changed",
    severity=Severity.WARNING,
    title="The change that is checked accepts a finding itself",
    why=(
        "An entry that accepts a finding counts at once, in the change that brings it: what is accepted, and why, belongs together, and two "
        "changes in a row would be no safer. But nobody has agreed to it so far. So each entry that the revision does not have which the "
        "contracts are compared with, or has with another reason or day, is told for those who review."
    ),
    remedy=(
        "Agree to it, by merging the change, or have it taken out. With `--fail-on warning` no change passes that brings such an entry; or let "
        "a code owner review pyproject.toml and stamp.toml. Entries are the tables `[[tool.stamp.accept]]` of pyproject.toml and `[[accept]]` of "
        "stamp.toml."
    ),
    example=Example(now={}),
    look=look,
)

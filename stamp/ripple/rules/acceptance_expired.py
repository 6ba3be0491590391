"""The time for which a finding was accepted is over."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.acceptance import Acceptance
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(_: Study) -> Iterator[Issue]:
    """Find nothing in contracts: `stamp.ripple.accept` looks at entries, when everything else has been found."""
    yield from ()


def of(entry: Acceptance, *, is_matched: bool) -> Issue:
    """Return what to say of an entry that has expired; `is_matched` tells whether it would still accept something.

    That is an error: on that day somebody meant to look again, and where only the finding itself came back, as a warning say,
    nobody would. An entry with nothing left to accept merely clutters the file.
    """
    what = (
        f"{entry.rule} at {entry.path} was accepted until {entry.until} and is found again"
        if is_matched
        else f"{entry.rule} at {entry.path} was accepted until {entry.until}, and is not found any more: remove the entry"
    )
    advice = f". It was accepted because: {entry.reason}. Mend it, or look again and set a later `until`"
    return Issue(
        entry.workflow or "",
        entry.path,
        what + advice * is_matched,
        severity=Severity.ERROR if is_matched else Severity.WARNING,
        place=entry.place,
    )


RULE = Rule(
    id="acceptance-expired",
    severity=Severity.ERROR,
    title="The time for which a finding was accepted is over",
    why=(
        "An entry with `until` is a promise to come back. From the day after on it accepts nothing: the finding is back with its own "
        "severity, and this error tells why. Where nothing is found any more that it could accept, it is a warning."
    ),
    remedy=(
        "Mend what was found and remove the entry, or look at it again and set a later `until`. Entries are the tables "
        "`[[tool.stamp.accept]]` of pyproject.toml and `[[accept]]` of stamp.toml."
    ),
    example=Example(now={}),
    look=look,
)

"""The contracts do not say what the code says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stamp.compat import Fragment, Severity
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find files that an export of the workflow's code would write or remove."""
    for changed in study.pending:
        for file in changed.write:
            what = "is not what the code says now" if file.exists() else "is missing, for what the code says now"
            yield _issue(file, what)
        for file in changed.remove:
            yield _issue(file, "is of a view that the code does not have any more")


def _issue(file: Path, what: str) -> Issue:
    folder = file.parent.parent if file.parent.name == "reads" else file.parent
    return Issue(
        folder.parent.name,
        folder.name,
        f"{folder.name}: {file.relative_to(folder).as_posix()} {what}: run `stamp export`",
        place=Fragment("", "", str(file)),
        producer=folder.name,
    )


RULE = Rule(
    id="contract-behind-code",
    severity=Severity.ERROR,
    title="The contracts do not say what the code says",
    why="Others are checked against the contracts. Code that was changed without an export breaks them unseen.",
    remedy="Run `stamp export` and commit what it writes.",
    example=Example(now={}),
    look=look,
)

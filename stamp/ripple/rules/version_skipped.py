"""The numbers of a record's versions have a gap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find versions before which another one is missing. One that a baseline has was deleted: another rule's."""
    for workflow, step in study.now.steps:
        there = {
            (each.written.name, each.written.version)
            for baseline in study.baselines
            for each in baseline.versions(workflow, step)
        }
        last: defaultdict[str, int] = defaultdict(int)
        for version in study.now.versions(workflow, step):
            name, number = version.written.name, version.written.version
            gap = number - last[name] - 1
            deleted = sum(each == name and last[name] < other < number for each, other in there) if gap else 0
            last[name] = number
            if gap > deleted:
                yield Issue.of_version(
                    workflow,
                    version,
                    f"{version} of {step} follows no {name}.v{number - 1}: the versions of a record are numbered from 1 without a gap. "
                    f"Rename the file, or restore the one that is missing",
                    place=place(version.file),
                )


RULE = Rule(
    id="version-skipped",
    severity=Severity.ERROR,
    title="The numbers of a record's versions have a gap",
    why="A gap is a version that was released and lost, or never was: nobody can tell, and `Workflow` refuses such a folder.",
    remedy="Number versions from 1; restore what is missing.",
    example=Example(
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {"Ticket.v1": {"text": "string"}, "Ticket.v3": {"text": "string", "language": "string"}},
            }
        },
    ),
    look=look,
)

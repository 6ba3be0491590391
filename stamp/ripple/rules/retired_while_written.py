"""A version is said to be retired that is written until the change is deployed."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find versions that are retired by now, and that a baseline writes."""
    for workflow, step in study.now.steps:
        for version in study.now.versions(workflow, step):
            writing = study.writing(workflow, version)
            if study.is_retired(version) and writing:
                yield Issue.of_version(
                    workflow,
                    version,
                    f"{version} of {step} is said to be retired, and {step} writes it as it runs now ({', '.join(writing)}): there will be "
                    f'data of it after this change is deployed. Take it out of "retired" until no data of it are left',
                    place=place(study.now.said(workflow, step)),
                    other=place(version.file),
                    baseline=writing[0],
                )


RULE = Rule(
    id="retired-while-written",
    severity=Severity.ERROR,
    title="A version is said to be retired while what runs now writes it",
    why=(
        "After the day under `retired` no data of a version are left, so views need not read it any more. What a service writes until "
        "it is replaced waits in queues and stores when it has been."
    ),
    remedy=(
        "Deploy the new version first. Say that the old one is retired in a later change, when no data of it are left. "
        "Until then views have to read both."
    ),
    example=Example(
        before={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {"Ticket.v1": {"text": "string"}},
            }
        },
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {"Ticket.v1": {"text": "string"}, "Ticket.v2": {"text": "string", "language": "string"}},
                "retired": {"Ticket.v1": "2026-01-01"},
            }
        },
    ),
    look=look,
)

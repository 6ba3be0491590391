"""Two steps write fields of one name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stamp.compat import Fragment, Severity
from stamp.ripple.contracts import Contracts
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed
from stamp.schema.jsonfile import JsonFile


def look(study: Study) -> Iterator[Issue]:
    """Find fields at the top of what several steps write now."""
    for workflow in study.now.workflows:
        for field, writers in _writers(study.now, workflow).items():
            if len(writers) > 1:
                *_, last = writers
                yield Issue(
                    workflow,
                    f"{last}.{field}",
                    f"{listed(writers)} all write {field}: the flat state keeps the one that was written last"
                    if len(writers) > 2
                    else f"{listed(writers)} both write {field}: the flat state keeps the one that was written last",
                    place=_place(writers[last], field),
                    other=_place(next(iter(writers.values())), field),
                    producer=last,
                )


def _writers(contracts: Contracts, workflow: str) -> dict[str, dict[str, JsonFile]]:
    found: defaultdict[str, dict[str, JsonFile]] = defaultdict(dict)
    for step, party in contracts.of(workflow).items():
        newest = {version.written.name: version.file for version in contracts.versions(workflow, step)}
        for name in party.emits.values():
            for field in newest[name].schema["fields"]:
                found[field["name"]].setdefault(step, newest[name])
    return found


def _place(file: JsonFile, field: str) -> Fragment:
    names = [each["name"] for each in file.schema["fields"]]
    return place(file, "fields", names.index(field))


RULE = Rule(
    id="field-conflict",
    severity=Severity.WARNING,
    title="Two steps write fields of one name",
    why="`Envelope.state()` is flat: it has one value for each name, the one that was written last. Which step that was may differ from run to run.",
    remedy="Give one of the fields another name, or read the contributions by step instead of the flat state.",
    example=Example(
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"priority": "string"}}},
            "validation": {
                "on": ["TicketCreated"],
                "emits": {"TicketValidated": "Validated"},
                "ends": ["TicketValidated"],
                "writes": {"Validated.v1": {"priority": "string"}},
            },
        }
    ),
    look=look,
)

"""A field that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stamp.compat import Severity
from stamp.ripple.contracts import Contracts, Version
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


class _Unread(NamedTuple):
    version: Version
    field: str
    what: str
    baseline: str | None = None


def look(study: Study) -> Iterator[Issue]:
    """Find fields without readers that a change drops or alters; when all are to be listed, also those that it leaves as they are."""
    for workflow, step in study.now.steps:
        told: set[str] = set()
        for each in (*_touched(study, workflow, step), *_listed(study, workflow, step)):
            if each.field not in told and not _is_read(study, workflow, each.version, each.field):
                told.add(each.field)
                yield _issue(workflow, each)


def _touched(study: Study, workflow: str, step: str) -> Iterator[_Unread]:
    after = _newest(study.now, workflow, step)
    for baseline in study.baselines:
        before = _newest(baseline, workflow, step)
        for name in sorted(before.keys() & after.keys()):
            was, now = _fields(before[name]), _fields(after[name])
            for field, type_ in was.items():
                if field not in now:
                    yield _Unread(before[name], field, f"{after[name]} drops it, and that breaks nobody", baseline.name)
                elif now[field] != type_:
                    yield _Unread(
                        after[name], field, f"{after[name]} changes it, and that breaks nobody", baseline.name
                    )


def _listed(study: Study, workflow: str, step: str) -> Iterator[_Unread]:
    if study.listing:
        for version in _newest(study.now, workflow, step).values():
            for field in _fields(version):
                yield _Unread(version, field, "it is safe to drop")


def _issue(workflow: str, unread: _Unread) -> Issue:
    version, field, what, baseline = unread
    fields = list(_fields(version))
    return Issue(
        workflow,
        f"{version.step}.{field}",
        f"{version.step}.{field} has no reader: {what}",
        place=place(version.file, "fields", fields.index(field)),
        producer=version.step,
        versions=(str(version),),
        baseline=baseline,
    )


def _newest(contracts: Contracts, workflow: str, step: str) -> dict[str, Version]:
    """Return the newest version of each record that a step writes."""
    party = contracts.steps.get((workflow, step))
    wanted = set() if party is None else set(party.emits.values())
    versions = contracts.versions(workflow, step)
    return {each.written.name: each for each in versions if each.written.name in wanted}


def _fields(version: Version) -> Mapping[str, Any]:
    return {each["name"]: (each["type"], each.get("default", ...)) for each in version.file.schema["fields"]}


def _is_read(study: Study, workflow: str, version: Version, field: str) -> bool:
    return any(
        field in study.pairs.fields(state.view(workflow, reader.step, version.step), version.file)
        for state in study.states
        for reader in state.of(workflow).values()
        if version.step in reader.reads
    )


RULE = Rule(
    id="field-unread",
    severity=Severity.INFO,
    title="A field that nobody reads",
    why="It travels in every later event without use. For a change it is the good news: nobody breaks.",
    remedy="Drop it from the record, if nobody outside the workflow wants it either.",
    example=Example(
        before={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {"Ticket.v1": {"text": "string", "note": "string"}},
            }
        },
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {"Ticket.v1": {"text": "string", "note": "string"}, "Ticket.v2": {"text": "string"}},
            }
        },
    ),
    look=look,
)

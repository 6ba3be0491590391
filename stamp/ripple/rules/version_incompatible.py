"""Versions of a record do not read one another as a mode asks for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from stamp.compat import Severity, check_versions
from stamp.ripple.contracts import Version
from stamp.ripple.pairs import Pair
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed


def look(study: Study) -> Iterator[Issue]:
    """Find released versions of the present contracts, not retired, that an older or newer one cannot read."""
    for workflow, step in study.now.steps if study.mode is not None else ():
        here = set(study.now.versions(workflow, step))
        alive = (each for each in study.alive(workflow, step) if each in here)
        ordered = sorted(alive, key=lambda each: (each.written.name, each.written.version))
        for _, versions in groupby(ordered, key=lambda each: each.written.name):
            yield from _of_record(study, workflow, list(versions))


def _of_record(study: Study, workflow: str, versions: list[Version]) -> Iterator[Issue]:
    """Compare each version with those before it, as a registry does when it comes."""
    assert study.mode is not None
    sources = [study.pairs.source(version.file) for version in versions]
    for count, newest in enumerate(versions, start=1):
        for each in check_versions(sources[:count], study.mode):
            if not each.is_compatible:
                reader, writer = versions[each.reader], versions[each.writer]
                causes = tuple(cause for cause in each.findings if cause.severity is Severity.ERROR)
                sides = causes[0].reader, causes[0].writer
                fields = listed(dict.fromkeys(cause.path or "the whole" for cause in causes))
                is_open = reader is newest and not any(was.has(workflow, newest) for was in study.baselines)
                yield Issue(
                    workflow,
                    f"{newest.step}.{newest}",
                    f"{reader} of {newest.step} cannot read {fields} of {writer}, and {study.mode} asks for it: {causes[0].message}",
                    place=sides[reader is not newest] or place(newest.file),
                    other=sides[reader is newest],
                    causes=causes,
                    producer=newest.step,
                    versions=(str(reader), str(writer)),
                    pair=Pair(
                        reader.file,
                        writer.file,
                        is_view=False,
                        is_open=is_open,
                        versions=study.files_of(workflow, newest),
                    ),
                )


RULE = Rule(
    id="version-incompatible",
    severity=Severity.ERROR,
    title="A version of a record does not read another one, as a mode asks for",
    why="Looked at only with `stamp check --mode`. Who reads with the schema of one version, such as an archive or a stream processor beside the workflow, cannot read data of another one. A schema registry in that mode refuses the version.",
    remedy='Release the version in a form that reads the others and is read by them: a default for what comes or goes, an alias for a new name, an enum with a default. A version that no data are left of goes under "retired" in the step.json of its step.',
    example=Example(
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {
                    "Ticket.v1": {"text": "string"},
                    "Ticket.v2": {"text": "string", "language": "string"},
                },
            }
        },
        mode="BACKWARD",
    ),
    look=look,
)

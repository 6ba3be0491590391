"""The model of a view refuses what the writer may write."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Finding, Sample, Severity, Witness, samples
from stamp.ripple.meetings import Meeting, meetings
from stamp.ripple.place import place
from stamp.ripple.reading import Reading, Refusal
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.schema.unseen import validators


def look(study: Study) -> Iterator[Issue]:
    """Find refusals of the models that are at hand, where a check of the contracts has no error."""
    for reading in study.readings:
        for meeting in meetings(study, reading.workflow):
            if _is_about(study, reading, meeting) and not study.pairs.is_broken(meeting.view, meeting.version.file):
                yield from _tried(study, reading, meeting)


def _is_about(study: Study, reading: Reading, meeting: Meeting) -> bool:
    """Tell whether a reading is one of a meeting: of the present view, and of a version of which it is known what its model enforced."""
    is_meant = (meeting.reader.step, meeting.version.step) == (reading.reader, reading.producer)
    return is_meant and meeting.state is study.now and meeting.version.written.is_told


def _tried(study: Study, reading: Reading, meeting: Meeting) -> Iterator[Issue]:
    """Give the model data of a version, and tell for each field the first that it refuses."""
    writer = study.pairs.source(meeting.version.file)
    attempt = reading.attempt(meeting.version.written.schema)
    is_known = attempt.is_written or not validators(writer.root)
    found: dict[str, tuple[Refusal, Sample]] = {}
    for sample in samples(study.pairs.source(meeting.view).seen_as(writer.root.name), writer):
        refusal = attempt.refuse(sample.data)
        if refusal is not None and (sample.is_lawful or attempt.is_written):
            found.setdefault(refusal.path, (refusal, sample))
    for refusal, sample in found.values():
        severity = Severity.ERROR if is_known and meeting.certain else Severity.WARNING
        yield _issue(meeting, refusal, sample, severity)


def _issue(meeting: Meeting, refusal: Refusal, sample: Sample, severity: Severity) -> Issue:
    reader, producer, version = meeting.reader.step, meeting.version.step, str(meeting.version)
    path = ".".join(filter(None, (producer, refusal.path)))
    verb = "cannot" if severity is Severity.ERROR else "may not be able to"
    cause = Finding(
        rule=RULE.id,
        severity=severity,
        path=refusal.path,
        message=refusal.text,
        witness=Witness(sample.text, sample.data, f"{refusal.path or 'the whole'}: {refusal.text}"),
    )
    return Issue(
        meeting.workflow,
        path,
        f"{reader} {verb} read {path} as {producer} writes it ({version}): {refusal.text}",
        severity=severity,
        place=place(meeting.view),
        other=place(meeting.version.file),
        causes=(cause,),
        consumer=reader,
        producer=producer,
        versions=(version,),
    )


RULE = Rule(
    id="model-refuses",
    severity=Severity.ERROR,
    title="The model of a view refuses what the writer may write",
    why="Looked at only with `stamp check --prove --code`. The contracts allow a datum that the reader's model, its validators included, refuses. It is a warning where the writer has validators of its own that are not at hand: they may see to it that no such datum is written.",
    remedy="Let the view take such data, or let the writer say in its types what it does not write: `Field(le=999)` instead of a validator.",
    example=Example(now={}),
    look=look,
)

"""A released version is another one than it was, or gone while its step is still there."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.contracts import Version, is_same
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find versions of a baseline that the present contracts lack, or have with another content."""
    for baseline in study.baselines:
        for (workflow, step), party in baseline.steps.items():
            here = {str(version): version for version in study.now.versions(workflow, step)}
            for was in baseline.versions(workflow, step):
                now = here.get(str(was))
                if (workflow, step) in study.now.steps and (now is None or not is_same(now.file, was.file)):
                    yield Issue.of_version(
                        workflow,
                        was,
                        f"{was} of {step} is released and was {_what(was, now, party.latest(was.written.name).version)}",
                        place=None if now is None else place(now.file),
                        other=place(was.file),
                        baseline=baseline.name,
                    )


def _what(was: Version, now: Version | None, newest: int) -> str:
    if now is None:
        return "deleted: what was written with it can no longer be read. Restore the file"
    if now.written.id == was.written.id:
        return (
            f"edited in what it says that the model enforces: what was written before is as it was. Restore the file, "
            f"and release the change as {was.written.name}.v{newest + 1}, as `stamp export` does"
        )
    return (
        f"edited: what was written with it names the SchemaId {was.written.id}, which nobody knows any more. "
        f"Restore the file, and release the change as {was.written.name}.v{newest + 1}, as `stamp export` does"
    )


RULE = Rule(
    id="version-changed",
    severity=Severity.ERROR,
    title="A released version is another one than it was, or gone while its step is still there",
    why="Data carry the identity of the schema that they were written with. Without that very schema nobody can read them: not the steps after it, not a replay, not an audit. The versions of a step that is removed leave the folder with it, which is no finding of this rule: what the step wrote can then be read with an earlier state of the folder, or by who has kept its versions (`stamp contracts pull`).",
    remedy="Restore the file. A changed model becomes the next version: `stamp export` writes it.",
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
                "writes": {"Ticket.v1": {"text": "bytes"}},
            }
        },
    ),
    look=look,
)

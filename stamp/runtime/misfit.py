"""Which two schemas did not fit together, when a view could not be read."""

from __future__ import annotations

from typing import Final, NamedTuple

from stamp.envelope.contribution import Contribution
from stamp.envelope.envelope import FAILURE_ID, Envelope
from stamp.errors import DecodeError, ResolutionError, UnknownSchemaError, WireError
from stamp.workflow.step import Read, Step
from stamp.workflow.workflow import Workflow

__all__ = ["Misfit", "misfit"]

OF_A_VIEW: Final = (UnknownSchemaError, ResolutionError, DecodeError)


class Misfit(NamedTuple):
    """A writer schema, by its id and the step and the version that it is of; and a view, by its model and the step that reads with it."""

    writer: str
    reader: str


def misfit(workflow: Workflow, step: Step, body: bytes, error: BaseException) -> Misfit | None:
    """Return which view of `step` raised `error` at the event whose body this is; None if it is no error of a view."""
    if not isinstance(error, OF_A_VIEW):
        return None
    try:
        envelope = Envelope.from_bytes(body, limits=workflow.limits)
    except WireError:
        return None
    for read in step.reads:
        if (error.path or "").partition(".")[0] == read.step:
            written = _written(envelope, read)
            if written is not None and not _fits(workflow, read, written):
                return Misfit(_writer(workflow, written), f"{read.view.model.__name__} ({step.name})")
    return None


def _written(envelope: Envelope, read: Read) -> Contribution | None:
    """Return what a view reads: the latest failure of its step, or the latest of anything else."""
    for each in reversed(envelope.contributions):
        if each.step == read.step and (each.schema_id == FAILURE_ID) is read.is_failure:
            return each
    return None


def _fits(workflow: Workflow, read: Read, written: Contribution) -> bool:
    try:
        read.view.read(written.schema_id, written.payload, workflow.catalog, workflow=workflow.name, step=read.step)
    except OF_A_VIEW:
        return False
    return True


def _writer(workflow: Workflow, written: Contribution) -> str:
    entry = workflow.catalog.get(written.schema_id)
    version = None if entry is None else entry.version(written.step)
    return f"{written.schema_id.hex()} ({written.step}{'' if version is None else f' v{version}'})"

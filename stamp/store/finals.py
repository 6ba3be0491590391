"""Final events: each holds the whole history of its run."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from typing import Final

from sqlalchemy import Connection, select, type_coerce
from sqlalchemy.types import NullType

from stamp.errors import WireError
from stamp.store import record
from stamp.store.bulk import Insert
from stamp.store.message import Message
from stamp.store.tables import FINALS

__all__ = ["find", "put"]

LOG: Final = logging.getLogger("stamp.store")


def put(tx: Connection, messages: Sequence[Message], *, now: int) -> None:
    """Keep final events of the time `now`, in microseconds; an event that is there stays as it is."""
    PUT.execute(tx, [(*record.fields(each), record.run(each.workflow_id), now) for each in messages])


def find(
    connection: Connection, *, workflow: str | None = None, workflow_id: str | None = None
) -> Generator[Message, None, None]:
    """Read final events as they are asked for, in the order of their time: all, those of a workflow, those of a run.

    A row that cannot be read is passed over, with a warning.
    """
    wanted = select(*(type_coerce(FINALS.c[name], NullType) for name in record.FIELDS)).order_by(
        FINALS.c.at, FINALS.c.event_id
    )
    if workflow is not None:
        wanted = wanted.where(FINALS.c.workflow == record.escaped(workflow))
    if workflow_id is not None:
        wanted = wanted.where(FINALS.c.run.is_not_distinct_from(record.run(workflow_id)))
        wanted = wanted.where(FINALS.c.workflow_id == record.escaped(workflow_id))
    with connection.execute(wanted, execution_options={"yield_per": 100}) as rows:
        for row in rows:
            try:
                message = record.message(row)
            except WireError as error:
                LOG.warning("a final event is passed over: %s", error)
            else:
                yield message


PUT = Insert("stamp_final", {**record.FIELDS, "run": "number", "at": "number"}, keys=("event_id",))

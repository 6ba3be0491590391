"""Documents that the services of a workflow leave for each other: their contracts, and who listens to what.

What they say is in `stamp.workflow.announcement`. Here they are texts by workflow and key. Times are microseconds, and the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from stamp.store.bulk import Change
from stamp.store.record import is_text, readable_number
from stamp.store.statement import Statement

__all__ = ["Document", "read", "texts", "touch", "workflows", "write"]


class Document(NamedTuple):
    """A text, and when it was last announced."""

    text: str
    announced_at: int


def workflows(connection: Connection) -> list[str]:
    """Return the workflows that have documents, sorted."""
    return list(filter(is_text, WORKFLOWS.execute(connection).scalars()))


def read(connection: Connection, workflow: str, *, prefix: str = "") -> dict[str, Document]:
    """Return the documents of a workflow by their keys, or those whose keys begin with `prefix`; what is no text is left out."""
    rows = READ.execute(connection, workflow=workflow, first=prefix, last=f"{prefix}\x7f")
    return {
        row.key: Document(row.document, readable_number(row.announced_at))
        for row in rows
        if is_text(row.key) and is_text(row.document)
    }


def texts(connection: Connection, workflow: str, *, prefix: str) -> dict[str, str]:
    """Return the texts alone of the documents whose keys begin with `prefix`: asked for with each group of answers, so by the driver itself."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(TEXTS[connection.dialect.name], (workflow, prefix, f"{prefix}\x7f"))
        return {key: document for key, document in cursor.fetchall() if is_text(key) and is_text(document)}
    finally:
        cursor.close()


def write(tx: Connection, workflow: str, documents: Mapping[str, str], *, now: int) -> None:
    """Keep documents, each in place of the earlier one of its key."""
    for key, text in sorted(documents.items()):  # two writers lock the same rows in the same order
        WRITE.execute(tx, workflow=workflow, key=key, text=text, now=now)


def touch(tx: Connection, workflow: str, keys: list[str], *, now: int) -> None:
    """Note that documents are announced again, unchanged."""
    TOUCH.execute(tx, [(workflow, key) for key in sorted(keys)], now=now)


WORKFLOWS = Statement("SELECT DISTINCT workflow FROM stamp_directory ORDER BY workflow")
READ = Statement(
    """
    SELECT key, document, announced_at FROM stamp_directory
    WHERE workflow = :workflow AND key >= :first AND key < :last ORDER BY key
    """
)
RANGE = "SELECT key, document FROM stamp_directory WHERE workflow = {0} AND key >= {0} AND key < {0} ORDER BY key"
TEXTS = {"sqlite": RANGE.format("?"), "postgresql": RANGE.format("%s")}
WRITE = Statement(
    """
    INSERT INTO stamp_directory (workflow, key, document, announced_at) VALUES (:workflow, :key, :text, :now)
    ON CONFLICT (workflow, key) DO UPDATE SET document = excluded.document, announced_at = excluded.announced_at
    """
)
TOUCH = Change(
    "UPDATE stamp_directory SET announced_at = {now} {given} WHERE stamp_directory.workflow = {workflow} AND stamp_directory.key = {key}",
    workflow="text",
    key="text",
)

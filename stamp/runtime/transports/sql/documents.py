"""Documents of a workflow in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, select, text

from stamp.runtime.transports.sql.tables import DOCUMENTS

__all__ = ["read", "version", "write"]

VERSION: Final = ""
"""The key of a text that is a new one whenever something is written. Not a number: a table that was emptied would begin to count anew."""

WRITE: Final = text(
    """
    INSERT INTO stamp_queue_document (workflow, key, document) VALUES (:workflow, :key, :document)
    ON CONFLICT (workflow, key) DO UPDATE SET document = excluded.document
    """
)


def version(connection: Connection, workflow: str) -> str | None:
    """Return the version of the documents; None before the first one is written."""
    found: str | None = connection.scalar(
        select(DOCUMENTS.c.document).where(DOCUMENTS.c.workflow == workflow, DOCUMENTS.c.key == VERSION)
    )
    return found


def read(connection: Connection, workflow: str) -> dict[str, str]:
    """Return the documents by their keys."""
    rows = connection.execute(
        select(DOCUMENTS.c.key, DOCUMENTS.c.document).where(
            DOCUMENTS.c.workflow == workflow, DOCUMENTS.c.key != VERSION
        )
    )
    return {row.key: row.document for row in rows}


def write(tx: Connection, workflow: str, documents: Mapping[str, str]) -> None:
    """Keep documents. The version is written first, so that one writer waits for another there, and nowhere else."""
    new = {VERSION: uuid4().hex, **documents}
    tx.execute(WRITE, [{"workflow": workflow, "key": key, "document": document} for key, document in new.items()])

"""docs/transports.md has the table of what each transport promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import NamedTuple

from stamp.runtime.transport import Promises

from .brokers import TABLE


class Column(NamedTuple):
    heading: str
    cell: Callable[..., str]
    promises: tuple[str, ...]


def yes(value: bool) -> str:
    return "yes" if value else "no"


def seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:g} s"


def size(value: int) -> str:
    for unit, bytes_in_it in (("MiB", 2**20), ("KiB", 2**10)):
        if value % bytes_in_it == 0:
            return f"{value // bytes_in_it} {unit}"
    return f"{value} bytes"


def late(routes: bool, age: float) -> str:
    if routes:
        return "at once, by its own bindings"
    return f"within {age:g} s" if age else "at once"


COLUMNS = (
    Column("a confirm survives the broker", yes, ("keeps",)),
    Column("what no queue takes is refused", yes, ("returns",)),
    Column("comes again within", seconds, ("redelivers",)),
    Column("dead letter queues", yes, ("buries",)),
    Column("between processes", yes, ("between_processes",)),
    Column("order", yes, ("orders",)),
    Column("largest body", size, ("largest",)),
    Column("a late listener is heard", late, ("routes", "directory_age")),
)


def table() -> str:
    rows = [
        ["transport", *(column.heading for column in COLUMNS)],
        ["---"] * (len(COLUMNS) + 1),
        *([entry.title, *(cell(column, entry.promises) for column in COLUMNS)] for entry in TABLE.values()),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cell(column: Column, promises: Promises) -> str:
    return column.cell(*(getattr(promises, name) for name in column.promises))


def test_every_promise_is_a_column():
    assert [name for column in COLUMNS for name in column.promises] == [each.name for each in fields(Promises)]


def test_the_docs_tell_what_the_transports_promise(root):
    text = (root / "docs" / "transports.md").read_text(encoding="utf-8")
    assert table() in text, f"docs/transports.md should have this table:\n{table()}"

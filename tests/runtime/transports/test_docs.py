"""docs/transports.md has the table of what each transport promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from stamp.runtime.transport import Promises

from .brokers import TABLE


class Column(NamedTuple):
    heading: str
    cell: Callable[[Any], str]


def yes(value: bool) -> str:
    return "yes" if value else "no"


def seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:g} s"


def size(value: int) -> str:
    for unit, bytes_in_it in (("MiB", 2**20), ("KiB", 2**10)):
        if value % bytes_in_it == 0:
            return f"{value // bytes_in_it} {unit}"
    return f"{value} bytes"


COLUMNS: Mapping[str, Column] = {
    "keeps": Column("a confirm survives the broker", yes),
    "returns": Column("what no queue takes is refused", yes),
    "redelivers": Column("comes again within", seconds),
    "buries": Column("dead letter queues", yes),
    "between_processes": Column("between processes", yes),
    "orders": Column("order", yes),
    "largest": Column("largest body", size),
}


def table() -> str:
    rows = [
        ["transport", *(column.heading for column in COLUMNS.values())],
        ["---"] * (len(COLUMNS) + 1),
        *(
            [entry.title, *(column.cell(getattr(entry.promises, name)) for name, column in COLUMNS.items())]
            for entry in TABLE.values()
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_every_promise_is_a_column():
    assert list(COLUMNS) == [each.name for each in fields(Promises)]


def test_the_docs_tell_what_the_transports_promise(root):
    text = (root / "docs" / "transports.md").read_text(encoding="utf-8")
    assert table() in text, f"docs/transports.md should have this table:\n{table()}"

"""How long a check takes, against Apache avro's checker for Python on the same pairs: `python tests/bench/compat.py`.

Once with schemas that both have read before: what tells a verdict takes (`check`), and to tell all findings too (`told`); the
same when ours gets them as Python values or as text, which it knows again. And once with schemas that neither has seen: both parse
them, ours also looks whether they are legal, which `avro` does in part. Each second line has the ratios.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from timeit import repeat
from typing import Any

import avro.schema
from avro.compatibility import (
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityResult,
    SchemaCompatibilityType,
)

from stamp.compat import check, read_source, source

TYPES: list[Any] = [
    *("string", "long", ["null", "string"], {"type": "array", "items": "string"}, "double", "boolean"),
    *({"type": "long", "logicalType": "timestamp-micros"}, {"type": "map", "values": "long"}, "int", "bytes"),
]


def record(name: str, size: int) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [field(number) for number in range(size)]}


def field(number: int) -> dict[str, Any]:
    return {"name": f"field{number}", "type": TYPES[number % len(TYPES)]}


def envelope(parts: int, size: int) -> dict[str, Any]:
    fields = [{"name": f"part{number}", "type": record(f"Part{number}", size)} for number in range(parts)]
    return {"type": "record", "name": "Envelope", "fields": fields}


def changed(node: Any) -> Any:
    """Return a schema with something new in every record, that reads what the old one wrote: nothing is equal down to its fields."""
    if isinstance(node, dict) and node["type"] == "record":
        fields = [{**each, "type": changed(each["type"])} for each in node["fields"]]
        added = {"name": "added", "type": ["null", "string"], "default": None}
        return {**node, "fields": [added, *reversed(fields)]}
    return "long" if node == "int" else node


def broken(node: Any) -> Any:
    """Return a schema that cannot read what the changed one writes: the last record has a field of another type."""
    text = json.dumps(node)
    at = text.rindex('"boolean"')
    return json.loads(f'{text[:at]}"int"{text[at + len(""" "boolean" """.strip()) :]}')


def missing(node: Any) -> Any:
    """Return a schema that cannot read what it is made of: its last record has one field more."""
    reader = json.loads(json.dumps(node))
    last = reader["fields"][-1]["type"] if isinstance(reader["fields"][-1]["type"], dict) else reader
    last.get("fields", reader["fields"]).append({"name": "missing", "type": "string"})
    return reader


def microseconds(run: Callable[[], object]) -> float:
    once = min(repeat(run, number=1, repeat=3))
    number = max(1, int(0.01 / once))
    return min(repeat(run, number=number, repeat=15)) / number * 1e6


SHAPES = {
    "record of 20 fields": record("Flat", 20),
    "6 records of 10": envelope(6, 10),
    "20 records of 20": envelope(20, 20),
}
CHANGES: dict[str, Callable[[Any], Any]] = {
    "equal": lambda schema: schema,
    "changed": changed,
    "one error": broken,
    "a field missing": missing,
}
COLUMNS = ("avro", "check", "told", "values", "text", "avro", "values", "text")


def main() -> None:
    print(f"{'':<38}{'read before, or known':^40}{'never seen':^24}")
    print(f"{'µs a pair':<38}{''.join(f'{column:>8}' for column in COLUMNS)}")
    for shape, writer in SHAPES.items():
        for change, make in CHANGES.items():
            compare(f"{shape}, {change}", make(writer), writer)


def compare(title: str, reader: Any, writer: Any) -> None:
    parsed = [avro.schema.parse(json.dumps(schema)) for schema in (reader, writer)]
    ours, texts = [read_source(schema) for schema in (reader, writer)], [json.dumps(reader), json.dumps(writer)]
    is_readable = avro_check(*parsed).compatibility is SchemaCompatibilityType.compatible
    assert is_readable is (check(*ours) == ())
    known = [
        lambda: avro_check(*parsed),
        lambda: check(*ours),
        lambda: list(check(*ours)),
        lambda: check(reader, writer),
        lambda: check(*texts),
    ]
    new = [
        lambda: avro_check(*map(avro.schema.parse, texts)),
        lambda: (source.forget(), check(reader, writer)),
        lambda: (source.forget(), check(*texts)),
    ]
    known_times, new_times = [microseconds(run) for run in known], [microseconds(run) for run in new]
    print(
        f"{title:<38}{''.join(f'{each:8.1f}' for each in known_times)}{''.join(f'{each:8.0f}' for each in new_times)}"
    )
    print(f"{'':<38}{ratios(known_times)}{ratios(new_times)}")


def avro_check(*schemas: Any) -> SchemaCompatibilityResult:
    return ReaderWriterCompatibilityChecker().get_compatibility(*schemas)


def ratios(times: Sequence[float]) -> str:
    """Return how many times as fast as the first each of the others is."""
    return f"{'':>8}" + "".join(f"{times[0] / each:7.1f}x" for each in times[1:])


if __name__ == "__main__":
    main()

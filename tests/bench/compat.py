"""How long a check takes, against Apache avro's checker for Python on the same pairs: `python tests/bench/compat.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from timeit import repeat
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from stamp.compat import check, read_source

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


def microseconds(run: Callable[[], object]) -> float:
    once = min(repeat(run, number=1, repeat=3))
    number = max(1, int(0.02 / once))
    return min(repeat(run, number=number, repeat=7)) / number * 1e6


SHAPES = {
    "record of 20 fields": record("Flat", 20),
    "6 records of 10": envelope(6, 10),
    "20 records of 20": envelope(20, 20),
}
CHANGES: dict[str, Callable[[Any], Any]] = {"changed": changed, "one error": broken, "equal": lambda schema: schema}


def main() -> None:
    print(f"{'µs a pair':<32}{'avro':>9}{'check':>9}{'ratio':>8}   as values  as text   (ratios)")
    for shape, writer in SHAPES.items():
        for change, make in CHANGES.items():
            reader = make(writer)
            compare(f"{shape}, {change}", reader, writer, is_readable=change != "one error")


def compare(title: str, reader: Any, writer: Any, *, is_readable: bool) -> None:
    parsed = [avro.schema.parse(json.dumps(schema)) for schema in (reader, writer)]
    ours, texts = [read_source(schema) for schema in (reader, writer)], [json.dumps(reader), json.dumps(writer)]
    result = ReaderWriterCompatibilityChecker().get_compatibility(*parsed)
    assert (result.compatibility is SchemaCompatibilityType.compatible) is is_readable is (check(*ours) == ())
    theirs = microseconds(lambda: ReaderWriterCompatibilityChecker().get_compatibility(*parsed))
    times = [microseconds(run) for run in (lambda: check(*ours), lambda: check(reader, writer), lambda: check(*texts))]
    ratios = [theirs / each for each in times]
    print(f"{title:<32}{theirs:9.0f}{times[0]:9.1f}{ratios[0]:8.1f}   {ratios[1]:9.1f}{ratios[2]:9.1f}")


if __name__ == "__main__":
    main()

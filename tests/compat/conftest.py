"""Random schemas, their random successors, and random data of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st

from stamp.schema.types import Type
from stamp.schema.varint import sized, zigzag

VECTORS = Path(__file__).parents[1] / "vectors" / "avro-resolution-cases.jsonl"

LEAVES: list[Any] = [
    *("null", "boolean", "int", "int", "long", "float", "double", "bytes", "string", "string"),
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "int", "logicalType": "date"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 11, "scale": 4},
    {"type": "string", "logicalType": "uuid"},
]

DEFAULTS = {"boolean": True, "int": 3, "long": 4, "double": 0.5, "string": "x", "bytes": "\xff"}


class Author:
    """Writes one legal schema, recursive ones too."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.around: list[str] = []
        self.finished: list[str] = []
        self.count = 0

    def schema(self, depth: int = 3) -> Any:
        kinds = [self.leaf, self.leaf, self.enum, self.fixed, self.reference]
        if depth:
            kinds += [self.record, self.record, self.record, self.array, self.map, self.union, self.union]
        return self.random.choice(kinds)(depth - 1)

    def leaf(self, _depth: int) -> Any:
        return copy.deepcopy(self.random.choice(LEAVES))

    def name(self) -> str:
        self.count += 1
        return f"{self.random.choice(['', 'a.'])}T{self.count}" if not self.around else f"T{self.count}"

    def enum(self, _depth: int) -> Any:
        name = self.name()
        self.finished.append(name)
        default = {"default": "A"} if self.random.random() < 0.3 else {}
        return {"type": "enum", "name": name, "symbols": ["A", "B", "C"], **default}

    def fixed(self, _depth: int) -> Any:
        name = self.name()
        self.finished.append(name)
        return {"type": "fixed", "name": name, "size": self.random.choice([2, 4])}

    def reference(self, depth: int) -> Any:
        usable = [name for name in self.finished if "." not in name] if not self._namespace() else []
        usable += [name for name in self.around if name not in usable]
        if not usable:
            return self.leaf(depth)
        name = self.random.choice(usable)
        if name in self.around:  # data must be able to end
            return self.random.choice(
                [["null", name], {"type": "array", "items": name}, {"type": "map", "values": name}]
            )
        return name

    def _namespace(self) -> str:
        return self.around[0].rpartition(".")[0] if self.around else ""

    def record(self, depth: int) -> Any:
        name = self.name()
        self.around.append(name)
        fields = [self.field(f"f{number}", depth) for number in range(self.random.randint(1, 3))]
        self.around.pop()
        self.finished.append(name)
        return {"type": "record", "name": name, "fields": fields}

    def field(self, name: str, depth: int) -> Any:
        type_ = self.schema(max(depth, 0))
        field = {"name": name, "type": type_}
        if isinstance(type_, str) and type_ in DEFAULTS and self.random.random() < 0.4:
            field["default"] = DEFAULTS[type_]
        elif isinstance(type_, list) and type_[0] == "null" and self.random.random() < 0.5:
            field["default"] = None
        return field

    def array(self, depth: int) -> Any:
        item = self.schema(max(depth, 0))
        return {"type": "array", "items": "int" if item == "null" else item}

    def map(self, depth: int) -> Any:
        return {"type": "map", "values": self.schema(max(depth, 0))}

    def union(self, depth: int) -> Any:
        branches: dict[str, Any] = {"null": "null"} if self.random.random() < 0.7 else {}
        for _ in range(self.random.randint(1, 3)):
            branch = self.random.choice([self.leaf, self.record, self.array, self.map, self.enum])(depth)
            if isinstance(branch, dict):
                branches[branch.get("name", branch["type"])] = branch
            else:
                branches.setdefault(branch, branch)
        return list(branches.values())


def nodes(schema: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield place, schema
    if isinstance(schema, list):
        for number, branch in enumerate(schema):
            yield from nodes(branch, (*place, number))
    elif isinstance(schema, dict):
        for key in ("items", "values"):
            if key in schema:
                yield from nodes(schema[key], (*place, key))
        for number, field in enumerate(schema.get("fields", ())):
            yield from nodes(field["type"], (*place, "fields", number, "type"))


def put(schema: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    inner = schema
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return schema


def changed_record(random: Random, record: dict[str, Any]) -> dict[str, Any]:
    fields = record["fields"]
    field = random.choice(fields) if fields else None
    match random.choice(
        ["add", "add with default", "remove", "rename", "alias", "reorder", "default", "name", "alias name"]
    ):
        case "add":
            fields.append({"name": f"new{len(fields)}", "type": "int"})
        case "add with default":
            fields.append({"name": f"new{len(fields)}", "type": ["null", "int"], "default": None})
        case "remove" if field:
            fields.remove(field)
        case "rename" if field:
            field["name"] += "x"
        case "alias" if field:
            field["aliases"] = [field["name"]]
            field["name"] += "y"
        case "reorder":
            random.shuffle(fields)
        case "default" if field:
            field.pop("default", None)
        case "name":
            record["name"] += "Other"
        case "alias name":
            record["aliases"] = [record["name"]]
            record["name"] += "New"
    return record


def changed(random: Random, node: Any, author: Author) -> Any:
    """Return something else in the place of one type of a schema."""
    kind = node.get("type") if isinstance(node, dict) else None
    if kind == "record" and random.random() < 0.9:
        return changed_record(random, node)
    if kind == "enum":
        symbols = random.choice([["A", "B"], ["A", "B", "C", "D"], ["C", "B", "A"], ["A", "B", "C"]])
        return {**node, "symbols": symbols, **random.choice([{}, {"default": "A"}])}
    if kind == "fixed":
        return {**node, "size": random.choice([2, 4])}
    if isinstance(node, list):
        rest = [branch for branch in node if random.random() < 0.8]
        return rest or node
    if random.random() < 0.3 and node != "null":
        return random.choice([["null", node], [node, "null"], [node]])
    return author.leaf(0)


def successor(random: Random, schema: Any) -> Any:
    new = copy.deepcopy(schema)
    author = Author(random)
    for _ in range(random.randint(1, 3)):
        place, node = random.choice(list(nodes(new)))
        new = put(new, place, changed(random, node, author))
    return new


randoms = st.randoms(use_true_random=False)


@pytest.fixture(scope="session")
def written_schemas() -> st.SearchStrategy[Any]:
    """Random schemas."""
    return randoms.map(lambda random: Author(random).schema())


@pytest.fixture(scope="session")
def evolutions() -> st.SearchStrategy[tuple[Any, Any]]:
    """Pairs of a random schema and what became of it; now and then the latter is no schema."""

    def pair(random: Random) -> tuple[Any, Any]:
        old = Author(random).schema()
        return old, successor(random, old)

    return randoms.map(pair)


PLAIN: dict[str, Callable[[Random], bytes]] = {
    "null": lambda random: b"",
    "boolean": lambda random: random.choice([b"\0", b"\1"]),
    "int": lambda random: zigzag(random.choice([0, -1, random.randrange(-(1 << 31), 1 << 31)])),
    "long": lambda random: zigzag(random.choice([0, -1, random.randrange(-(1 << 63), 1 << 63)])),
    "float": lambda random: bytes(4),
    "double": lambda random: bytes(8),
    "string": lambda random: sized(random.choice(["", "text", "é", "7"]).encode()),
    "bytes": lambda random: sized(random.choice([b"", b"text", b"\xff\xfe"])),
}


def datum(random: Random, type_: Type, depth: int = 0) -> bytes:
    if type_.logical:
        return logical_datum(random, type_)
    if type_.kind in PLAIN:
        return PLAIN[type_.kind](random)
    if type_.kind == "fixed":
        return random.randbytes(type_.size)
    if type_.kind == "enum":
        return zigzag(random.randrange(len(type_.symbols)))
    if type_.kind == "union":
        number = random.randrange(len(type_.branches))
        if depth > 6:
            number = min(range(len(type_.branches)), key=lambda n: type_.branches[n].kind == "record")
        return zigzag(number) + datum(random, type_.branches[number], depth)
    if type_.items is not None:
        count = 0 if depth > 6 else random.randint(0, 2)
        keys = [sized(b"%d" % n) if type_.kind == "map" else b"" for n in range(count)]
        items = b"".join(key + datum(random, type_.items, depth + 1) for key in keys)
        return (zigzag(count) + items if count else b"") + b"\0"
    return b"".join(datum(random, field.type, depth + 1) for field in type_.fields)


def logical_datum(random: Random, type_: Type) -> bytes:
    match type_.logical:
        case "uuid":
            return sized(b"00000000-0000-4000-8000-000000000001")
        case "decimal":
            most = 10**type_.precision - 1
            number = random.choice([0, most, -most])
            return sized(number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))
        case "date":
            return zigzag(random.choice([0, 20_000, -719_162]))
    return zigzag(random.choice([0, 1_700_000_000_000]))


@pytest.fixture(scope="session")
def random_datum() -> Callable[[Random, Type], bytes]:
    """Returns random binary of a type, all within what its logical types allow."""
    return datum


@pytest.fixture(scope="session")
def vectors() -> list[dict[str, Any]]:
    """The labelled pairs of tests/vectors."""
    return [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from typing import Any

import avro.schema
import fastavro
import pytest
from avro.errors import IgnoredLogicalType
from hypothesis import strategies as st

from stamp.schema import lint

DEFAULTS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60),
    "bytes": st.text(st.characters(max_codepoint=0xFF)),
    "string": st.text(st.characters(exclude_categories=["Cs"])),
}

LOGICAL = [
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "string", "logicalType": "uuid"},
    {"type": "string", "logicalType": "colour", "note": {"doc": "kept"}},
]


class SchemaWriter:
    """Draws one legal schema without recursion, and remembers the names it has defined so that it can refer to them."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.finished: list[str] = []
        self.count = 0

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def schema(self, namespace: str, depth: int) -> Any:
        nested = (self.record, self.record, self.array, self.map, self.union) if depth else ()
        return self.one_of(self.primitive, self.logical, self.enum, self.fixed, self.reference, *nested)(
            namespace, depth - 1
        )

    def primitive(self, _namespace: str, _depth: int) -> Any:
        name = self.one_of(*DEFAULTS)
        return self.one_of(name, {"type": name}, {"type": name, "doc": "words"})

    def logical(self, _namespace: str, _depth: int) -> Any:
        return copy.deepcopy(self.one_of(*LOGICAL))

    def reference(self, namespace: str, depth: int) -> Any:
        usable = [name for name in self.finished if "." in name or not namespace]
        if not usable:
            return self.primitive(namespace, depth)
        name = self.one_of(*usable)
        return name.removeprefix(f"{namespace}.")

    def head(self, namespace: str) -> tuple[dict[str, Any], str, str]:
        self.count += 1
        name = f"T{self.count}"
        named, space = self.one_of(
            ({"name": name}, namespace),
            ({"name": name, "namespace": "a.b"}, "a.b"),
            ({"name": name, "namespace": ""}, ""),
            ({"name": f"c.{name}", "namespace": "ignored"}, "c"),
        )
        more = self.one_of({}, {"aliases": [f"Old{name}", f"z.Old{name}"]}, {"doc": "words"}, {"x": 1.5})
        return named | more, f"{space}.{name}" if space else name, space

    def enum(self, namespace: str, _depth: int) -> Any:
        head, name, _ = self.head(namespace)
        self.finished.append(name)
        return head | {"type": "enum", "symbols": ["B", "A"]} | self.one_of({}, {"default": "A"})

    def fixed(self, namespace: str, _depth: int) -> Any:
        head, name, _ = self.head(namespace)
        self.finished.append(name)
        return head | {"type": "fixed", "size": self.one_of(1, 2, 16)}

    def record(self, namespace: str, depth: int) -> Any:
        head, name, space = self.head(namespace)
        fields = [self.field(f"f{number}", space, depth) for number in range(self.one_of(1, 2, 3))]
        self.finished.append(name)
        return head | {"type": "record", "fields": fields}

    def field(self, name: str, namespace: str, depth: int) -> Any:
        type_ = self.schema(namespace, max(depth, 0))
        field = {"name": name, "type": type_}
        if isinstance(type_, str) and type_ in DEFAULTS and self.draw(st.booleans()):
            field["default"] = self.draw(DEFAULTS[type_])
        return field | self.one_of({}, {"doc": "words"}, {"aliases": [f"old_{name}"]}, {"order": "ignore"})

    def array(self, namespace: str, depth: int) -> Any:
        return {"type": "array", "items": self.schema(namespace, max(depth, 0))}

    def map(self, namespace: str, depth: int) -> Any:
        return {"type": "map", "values": self.schema(namespace, max(depth, 0))}

    def union(self, namespace: str, depth: int) -> Any:
        branch = self.one_of(self.record, self.enum, self.array, self.map)(namespace, max(depth, 0))
        return ["null", branch, "long"]


@st.composite
def schemas(draw: st.DrawFn) -> Any:
    return SchemaWriter(draw).schema(namespace="", depth=3)


@pytest.fixture(scope="session")
def legal_schemas() -> st.SearchStrategy[Any]:
    """Legal schemas of every kind: namespaces, references, aliases, defaults, logical types, docs."""
    return schemas()


@pytest.fixture(scope="session")
def accepted() -> Callable[[Any], None]:
    """Checks that a schema is plain JSON which our lint, fastavro and Apache avro accept."""
    return accept


def accept(schema: Any) -> None:
    assert type(schema) is dict
    lint(schema, recursion=True)
    fastavro.parse_schema(json.loads(json.dumps(schema)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredLogicalType)  # it knows no local timestamps
        avro.schema.parse(json.dumps(schema))

"""The JSON form of values, as defaults are written in a schema (Avro 1.12, "Complex Types", table of default values).

It is read from the value's binary: a default says the same as the bytes of the same value, for every type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from struct import Struct
from typing import Any, Final

from stamp.errors import SchemaError
from stamp.schema.form import Node
from stamp.schema.names import PRIMITIVES, Schema, declared_name, fullname, namespace_of

__all__ = ["json_form"]

_double: Final = Struct("<d").unpack_from


def json_form(schema: Schema, data: bytes, named: Mapping[str, Node], namespace: str = "") -> Any:
    """Return the JSON of the value that our own encoder wrote as `data`.

    `named` are the types that `schema`, which stands in `namespace`, may refer to by their full names.

    Raises:
        SchemaError: the value has no JSON form in a default.
    """
    return _Reader(data, named).read(schema, namespace)


class _Reader:
    def __init__(self, data: bytes, named: Mapping[str, Node]) -> None:
        self.data = data
        self.named = named
        self.at = 0

    def read(self, schema: Schema, namespace: str) -> Any:
        if isinstance(schema, list):
            if self.long():
                raise SchemaError(
                    "expected unions in a default to have values of their first branch (a default inside a default is none)"
                )
            return self.read(schema[0], namespace)
        if isinstance(schema, str) and schema in PRIMITIVES:
            return _READ[schema](self, Node({"type": schema}), namespace)
        if isinstance(schema, str):
            full = fullname(schema, namespace)
            schema, namespace = self.named[full], namespace_of(full)
        elif "name" in schema:
            namespace = namespace_of(declared_name(schema, namespace))
        return _READ[schema["type"]](self, schema, namespace)

    def long(self) -> int:
        number = shift = 0
        while (byte := self.data[self.at]) > 127:
            number |= (byte & 127) << shift
            shift += 7
            self.at += 1
        self.at += 1
        number |= byte << shift
        return number >> 1 ^ -(number & 1)

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def double(self) -> float:
        (number,) = _double(self.take(8))
        if not isfinite(number):
            raise SchemaError(f"expected a number that JSON has in a default, got {number}")
        return float(number)

    def array(self, schema: Mapping[str, Any], namespace: str) -> list[Any]:
        count = self.long()
        items = [self.read(schema["items"], namespace) for _ in range(count)]
        self.at += count > 0
        return items

    def map(self, schema: Mapping[str, Any], namespace: str) -> dict[str, Any]:
        count = self.long()
        items = {self.take(self.long()).decode(): self.read(schema["values"], namespace) for _ in range(count)}
        self.at += count > 0
        return items

    def record(self, schema: Mapping[str, Any], namespace: str) -> dict[str, Any]:
        return {field["name"]: self.read(field["type"], namespace) for field in schema["fields"]}


_READ: Final[Mapping[str, Callable[[_Reader, Mapping[str, Any], str], Any]]] = {
    "null": lambda reader, schema, namespace: None,
    "boolean": lambda reader, schema, namespace: reader.take(1) == b"\1",
    "int": lambda reader, schema, namespace: reader.long(),
    "long": lambda reader, schema, namespace: reader.long(),
    "double": lambda reader, schema, namespace: reader.double(),
    "string": lambda reader, schema, namespace: reader.take(reader.long()).decode(),
    "bytes": lambda reader, schema, namespace: reader.take(reader.long()).decode("latin-1"),
    "enum": lambda reader, schema, namespace: schema["symbols"][reader.long()],
    "array": _Reader.array,
    "map": _Reader.map,
    "record": _Reader.record,
}

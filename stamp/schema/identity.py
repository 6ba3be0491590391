"""What makes two schemas the same schema.

`SchemaId` is taken over everything that changes what bytes mean or how they are read: logical types, defaults, aliases and the
order of fields, symbols and branches. CRC-64-AVRO over the Parsing Canonical Form is not enough for that (it cannot tell a decimal
of scale 2 from one of scale 4, and collisions are easy to build); it serves only where Avro itself asks for it.

The full canonical form of a schema is its JSON with

* each named type and each reference in full (`namespace` folded into `name`, aliases relative to their type's namespace),
* an object that has nothing but `type` written as that name: `{"type": "long"}` is `"long"`,
* `doc` of types and fields left out, and so is `stamp` of records and fields; nothing else is: defaults and other properties that Avro
  does not know stay as they are,

written by RFC 8785 (JCS). JCS knows no integer that a double cannot hold. Such an integer, say the long 2^53 + 1 in a default, is
written as a string of its decimal digits, as RFC 8785 recommends (appendix D), so that no two of them are one. All other numbers
have their JCS form, in which 1 and 1.0 are the same.

`stamp` says what a model accepts beyond Avro (`stamp.schema.constraint`). It changes no byte, and not how any byte is read: with a bound
in the identity, every change of a bound would be a schema that running readers do not know. Two versions that differ in nothing else have
one SchemaId, and two files; what tells them apart is `content`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, Self

import rfc8785

from stamp.errors import SchemaError
from stamp.schema.constraint import ATTRIBUTE
from stamp.schema.names import NAMED, PRIMITIVES, Schema, declared_name, fullname, namespace_of

__all__ = ["SchemaId", "canonical", "content", "crc64", "fingerprint", "parsing_canonical_form"]

SIZE: Final = 16


class SchemaId(bytes):
    """The identity of a schema: the first 16 bytes of its fingerprint.

    Equal to, and hashed as, the same plain bytes: a slice of a message finds its entry in a dict.
    """

    __slots__ = ()

    def __new__(cls, value: bytes) -> Self:
        """Take 16 bytes; any other number of them raises SchemaError."""
        if len(value) != SIZE:
            raise SchemaError(f"expected a SchemaId of {SIZE} bytes, got {len(value)}")
        return super().__new__(cls, value)

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Return the identity of a schema that `lint` accepts."""
        return cls(fingerprint(schema)[:SIZE])

    @classmethod
    def fromhex(cls, text: str, /) -> Self:
        """Return the identity written as 32 hexadecimal digits, as `str()` gives it."""
        try:
            return cls(bytes.fromhex(text))
        except ValueError as error:
            raise SchemaError(f"expected a SchemaId of {2 * SIZE} hexadecimal digits, got {text!r}") from error

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"SchemaId.fromhex({self.hex()!r})"


def fingerprint(schema: Schema) -> bytes:
    """Return the SHA-256 of a schema's full canonical form, 32 bytes."""
    return sha256(canonical(schema)).digest()


def canonical(schema: Schema) -> bytes:
    """Return the full canonical form of a schema that `lint` accepts.

    Raises:
        SchemaError: something in it has no JSON form: not a number, half of a surrogate pair.
    """
    try:
        return _written(_qualified(schema, ""))
    except ValueError as error:
        raise SchemaError(f"expected a schema that can be written as JSON: {error}") from error


def content(schema: Schema) -> bytes:
    """Return what of a schema is for machines: its full canonical form, with the constraints that are no part of its identity.

    Raises:
        SchemaError: as `canonical` does.
    """
    try:
        return _written(_qualified(schema, "", _DOC))
    except ValueError as error:
        raise SchemaError(f"expected a schema that can be written as JSON: {error}") from error


def _written(schema: Schema) -> bytes:
    return rfc8785.dumps(_with_safe_numbers(schema))


_DOC: Final = frozenset({"doc"})
_NOT_IDENTITY: Final = _DOC | {ATTRIBUTE}


def _qualified(schema: Schema, namespace: str, left_out: frozenset[str] = _NOT_IDENTITY) -> Schema:
    if isinstance(schema, str):
        return schema if schema in PRIMITIVES else fullname(schema, namespace)
    if isinstance(schema, list):
        return [_qualified(branch, namespace, left_out) for branch in schema]
    kind = schema["type"]
    kept = _without(schema, left_out)
    if kind in NAMED:
        kept["name"] = declared_name(schema, namespace)
        kept.pop("namespace", None)
        namespace = namespace_of(kept["name"])
        if "aliases" in kept:
            kept["aliases"] = [fullname(alias, namespace) for alias in kept["aliases"]]
    if kind in _CONTENT:
        kept[_CONTENT[kind]] = _qualified(schema[_CONTENT[kind]], namespace, left_out)
    elif kind in _RECORDS:
        kept["fields"] = [
            _without(each, left_out) | {"type": _qualified(each["type"], namespace, left_out)}
            for each in schema["fields"]
        ]
    return kept if len(kept) > 1 else str(kind)


_CONTENT: Final = {"array": "items", "map": "values"}
_RECORDS: Final = frozenset({"record", "error"})


def _without(node: Mapping[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in left_out}


def _with_safe_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_safe_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_safe_numbers(item) for item in value]
    if isinstance(value, int) and abs(value) >= 2**53:
        return _as_double(value)
    return value


def _as_double(number: int) -> float | str:
    try:
        double = float(number)
    except OverflowError:
        return str(number)
    return double if double == number else str(number)


def parsing_canonical_form(schema: Schema) -> str:
    """Return the Parsing Canonical Form of a schema that `lint` accepts (Avro 1.12, "Transforming into Parsing Canonical Form")."""
    return json.dumps(_parsing(_qualified(schema, "")), separators=(",", ":"), ensure_ascii=False)


_PARSED: Final[Mapping[str, tuple[str, ...]]] = {
    "record": ("name", "type", "fields"),
    "error": ("name", "type", "fields"),
    "enum": ("name", "type", "symbols"),
    "fixed": ("name", "type", "size"),
    "array": ("type", "items"),
    "map": ("type", "values"),
}
"""What the Parsing Canonical Form keeps of a type, in its order."""


def _parsing(schema: Schema) -> Schema:
    if isinstance(schema, str):
        return schema
    if isinstance(schema, list):
        return [_parsing(branch) for branch in schema]
    kind = schema["type"]
    if kind in PRIMITIVES:
        return str(kind)
    kept = {key: schema[key] for key in _PARSED[kind]}
    if kind in _CONTENT:
        kept[_CONTENT[kind]] = _parsing(kept[_CONTENT[kind]])
    elif kind in _RECORDS:
        kept["fields"] = [{"name": each["name"], "type": _parsing(each["type"])} for each in kept["fields"]]
    return kept


_EMPTY: Final = 0xC15D213AA4D7A795


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_EMPTY & -(byte & 1))
    return byte


_CRC: Final = tuple(_crc_of_byte(byte) for byte in range(256))


def crc64(data: bytes) -> bytes:
    """Return the CRC-64-AVRO of `data`, 8 bytes, little endian as in the single-object encoding (Avro 1.12, "Schema Fingerprints")."""
    crc = _EMPTY
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 255]
    return crc.to_bytes(8, "little")

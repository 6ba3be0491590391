r"""Logical types on the types that may carry them (Avro 1.12, "Logical Types").

A logical type that is unknown or invalid is ignored, as Avro has it: its type means what it means without. An unknown one may be
somebody else's. An invalid one is a mistake of the schema's author, after which one side sees 1234.56 and another b'\x01\xe2\x40': it
is told wherever schemas are checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stamp.schema.document import shown
from stamp.schema.limits import MAX_PRECISION
from stamp.schema.names import COMPLEX, PRIMITIVES

__all__ = ["LOGICAL", "flaw", "misplaced"]

LOGICAL: Final[Mapping[str, frozenset[str]]] = {
    "date": frozenset({"int"}),
    "time-millis": frozenset({"int"}),
    "time-micros": frozenset({"long"}),
    "timestamp-millis": frozenset({"long"}),
    "timestamp-micros": frozenset({"long"}),
    "local-timestamp-millis": frozenset({"long"}),
    "local-timestamp-micros": frozenset({"long"}),
    "timestamp-nanos": frozenset({"long"}),
    "local-timestamp-nanos": frozenset({"long"}),
    "timedelta-micros": frozenset({"long"}),
    "uuid": frozenset({"string", "fixed"}),
    "decimal": frozenset({"bytes", "fixed"}),
    "big-decimal": frozenset({"bytes"}),
    "duration": frozenset({"fixed"}),
}
"""Every logical type of Avro 1.12 and our own, with the types that may carry it."""

FIXED_SIZE: Final[Mapping[str, int]] = {"uuid": 16, "duration": 12}
"""What size a fixed must have that carries one of these."""


def flaw(node: Mapping[str, Any]) -> str:
    """Say why the logical type of a type in its JSON form is invalid; "" when it is valid, unknown, or not there."""
    logical = node.get("logicalType")
    if "logicalType" in node and not isinstance(logical, str):
        return f"expected a logicalType that is a string, got {shown(logical)}"
    if not isinstance(logical, str) or logical not in LOGICAL:
        return ""
    kind, bases, size = node["type"], LOGICAL[logical], node.get("size")
    if kind not in bases:
        return f"expected logicalType {logical} on {' or '.join(sorted(bases))}, got it on {kind}"
    if kind == "fixed" and size != FIXED_SIZE.get(logical, size):
        return f"expected logicalType {logical} on a fixed of {FIXED_SIZE[logical]} bytes, got {shown(size)}"
    return _wrong_digits(node) if logical == "decimal" else ""


def misplaced(field: Mapping[str, Any]) -> str:
    """Say that a logical type stands beside the type of a field in its JSON form; "" when none does, or the type has its own."""
    if "logicalType" not in field:
        return ""
    kind = field["type"]
    if isinstance(kind, dict) and "logicalType" in kind:
        return ""
    is_name = isinstance(kind, str) and kind in PRIMITIVES | COMPLEX
    inner = f'{{"type": {shown(kind) if is_name else "..."}, "logicalType": {shown(field["logicalType"])}}}'
    return f'expected logicalType inside the type, where it counts: "type": {inner}'


def _wrong_digits(node: Mapping[str, Any]) -> str:
    precision, scale, size = node.get("precision"), node.get("scale", 0), node.get("size")
    if type(precision) is not int or not 0 < precision <= MAX_PRECISION:
        return f"expected a decimal with a precision of 1 to {MAX_PRECISION}, got {shown(precision)}"
    if type(scale) is not int or not 0 <= scale <= precision:
        return f"expected a decimal with a scale of 0 to its precision {precision}, got {shown(scale)}"
    if node["type"] == "fixed" and type(size) is int and 10**precision > 1 << max(min(8 * size - 1, _ENOUGH_BITS), 0):
        return f"expected a decimal whose {precision} digits fit a fixed of {size} bytes: more bytes, or less precision"
    return ""


_ENOUGH_BITS: Final = 4 * MAX_PRECISION

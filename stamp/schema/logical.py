r"""Logical types on the types that may carry them (Avro 1.12, "Logical Types").

Avro lets a reader ignore a logical type that makes no sense, so that one side sees 1234.56 and another b'\x01\xe2\x40'. Here it is a
mistake of the schema's author. A logical type that nobody knows is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stamp.schema.document import shown
from stamp.schema.limits import MAX_PRECISION
from stamp.schema.types import LOGICAL

__all__ = ["misuses"]

FIXED_SIZE: Final[Mapping[str, int]] = {"uuid": 16, "duration": 12}
"""What size a fixed must have that carries one of these."""


def misuses(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the logical type of a type in its JSON form, as texts."""
    logical = node.get("logicalType")
    if "logicalType" in node and not isinstance(logical, str):
        yield f"expected a logicalType that is a string, got {shown(logical)}"
    if not isinstance(logical, str) or logical not in LOGICAL:
        return
    kind, bases = node["type"], LOGICAL[logical]
    if kind not in bases:
        yield f"expected logicalType {logical} on {' or '.join(sorted(bases))}, got it on {kind}"
    elif kind == "fixed" and node.get("size") != FIXED_SIZE.get(logical, node.get("size")):
        yield f"expected logicalType {logical} on a fixed of {FIXED_SIZE[logical]} bytes, got {shown(node.get('size'))}"
    elif logical == "decimal":
        yield from _wrong_digits(node)


def _wrong_digits(node: Mapping[str, Any]) -> Iterator[str]:
    precision, scale = node.get("precision"), node.get("scale", 0)
    if type(precision) is not int or not 0 < precision <= MAX_PRECISION:
        yield f"expected a decimal with a precision of 1 to {MAX_PRECISION}, got {shown(precision)}"
        return
    if type(scale) is not int or not 0 <= scale <= precision:
        yield f"expected a decimal with a scale of 0 to its precision {precision}, got {shown(scale)}"
    size = node.get("size")
    if (
        node["type"] == "fixed"
        and type(size) is int
        and size > 0
        and 10**precision > 1 << min(8 * size - 1, _ENOUGH_BITS)
    ):
        yield f"expected a decimal whose {precision} digits fit a fixed of {size} bytes: more bytes, or less precision"


_ENOUGH_BITS: Final = 4 * MAX_PRECISION

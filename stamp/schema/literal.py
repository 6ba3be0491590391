"""Whether a default fits its field (Avro 1.12, table of default values under "Complex Types").

Stricter than most readers in two ways. The default of a union is one of its first branch: what any branch may give since Avro 1.12, older
readers refuse. And the default of a logical type has a value: a date is in the calendar, a decimal within its precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from stamp.errors import SchemaError
from stamp.schema.defaults import fits
from stamp.schema.document import shown
from stamp.schema.extent import least, visits
from stamp.schema.limits import MAX_DEPTH, MAX_NODES
from stamp.schema.names import unqualified
from stamp.schema.types import MISSING, Field, Type
from stamp.schema.values import UUID_TEXT

__all__ = ["misfits"]


def misfits(root: Type) -> Iterator[SchemaError]:
    """Yield the defaults of a schema that do not fit their fields, and then those that never end."""
    fields = {
        each: f"{path or unqualified(type_.name)}.{each.name}"
        for path, type_, again in visits(root)
        for each in type_.fields
        if not again and each.default is not MISSING
    }
    sound = True
    for each, path in fields.items():
        for problem in _misfits(each.type, each.default, path, 0):
            sound = False
            yield problem
    if sound:
        yield from _endless(fields)


def _misfits(type_: Type, value: Any, path: str, depth: int) -> Iterator[SchemaError]:
    if type_.kind == "union":
        yield from _branch_misfits(type_, value, path, depth)
    elif depth > MAX_DEPTH:
        yield SchemaError(f"expected a default of at most {MAX_DEPTH} levels, got more", path=path)
    elif not fits(type_, value) or not _is_in_range(type_, value):
        yield SchemaError(f"expected a default that fits {type_.label}, got {shown(value)}", path=path)
    elif type_.kind == "record":
        yield from _record_misfits(type_, value, path, depth)
    elif type_.items is not None:
        steps = value.items() if type_.kind == "map" else enumerate(value)
        for step, item in steps:
            yield from _misfits(type_.items, item, f"{path}[{shown(step)}]", depth + 1)


def _branch_misfits(union: Type, value: Any, path: str, depth: int) -> Iterator[SchemaError]:
    first, *others = union.branches
    if not fits(first, value) and any(fits(branch, value) for branch in others):
        text = f"expected a default that fits {first.label}, the first of its union, got {shown(value)}: put its branch first"
        yield SchemaError(text, path=path)
    else:
        yield from _misfits(first, value, path, depth)


def _record_misfits(record: Type, value: dict[str, Any], path: str, depth: int) -> Iterator[SchemaError]:
    fields = {each.name: each for each in record.fields}
    for name in [name for name in value if name not in fields]:
        yield SchemaError(
            f"expected a default with the fields of {record.label}, got another one, {shown(name)}", path=path
        )
    for name, each in fields.items():
        if name in value:
            yield from _misfits(each.type, value[name], f"{path}.{name}", depth + 1)
        elif each.default is MISSING:
            yield SchemaError(
                f'expected a default with the field "{name}", that has none itself, got {shown(value)}', path=path
            )


def _is_in_range(type_: Type, value: Any) -> bool:
    if type_.logical in _MEANINGFUL:
        return _MEANINGFUL[type_.logical](type_, value)
    if (limits := _RANGES.get(type_.logical or type_.kind)) is None:
        return True
    low, high = limits
    return bool(low <= value <= high)


_FLOAT_MAX: Final = (2 - 2**-23) * 2.0**127
_DOUBLE_MAX: Final = (2 - 2**-52) * 2.0**1023
_DAY: Final = 86_400_000_000
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_FIRST_MICRO, _LAST_MICRO = _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1
_MILLIS, _MICROS = (_FIRST_MICRO // 1000, _LAST_MICRO // 1000), (_FIRST_MICRO, _LAST_MICRO)

_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "float": (-_FLOAT_MAX, _FLOAT_MAX),
    "double": (-_DOUBLE_MAX, _DOUBLE_MAX),
    "date": (_FIRST_DAY, _LAST_DAY),
    "time-millis": (0, _DAY // 1000 - 1),
    "time-micros": (0, _DAY - 1),
    "timestamp-millis": _MILLIS,
    "timestamp-micros": _MICROS,
    "local-timestamp-millis": _MILLIS,
    "local-timestamp-micros": _MICROS,
}
"""Numbers that have a value: finite ones, and days and instants of the years 1 to 9999."""


def _is_decimal(type_: Type, value: str) -> bool:
    number = int.from_bytes(value.encode("latin-1"), "big", signed=True)
    return value != "" and abs(number) < 10**type_.precision


_MEANINGFUL: Final[Mapping[str, Callable[[Type, Any], bool]]] = {
    "uuid": lambda type_, value: type_.kind == "fixed" or UUID_TEXT.fullmatch(value) is not None,
    "decimal": _is_decimal,
}


def _endless(fields: Mapping[Field, str]) -> Iterator[SchemaError]:
    """Refuse defaults that take in each other without end, or too many of them: `next: [Node, null] = {}` in Node."""
    needs = {each: list(_taken_in(each.type, each.default)) for each in fields}
    ends = least(needs, lambda each, found: all(need in found for need in needs[each]))
    sizes: dict[Field, int] = {}
    for each in ends:
        sizes[each] = 1 + sum(sizes[need] for need in needs[each])
    for each, path in fields.items():
        if sizes.get(each, MAX_NODES + 1) > MAX_NODES:
            yield SchemaError(
                "expected a default that ends, got one that takes in itself or far too many others", path=path
            )


def _taken_in(type_: Type, value: Any) -> Iterator[Field]:
    """Yield the fields, again and again, whose own defaults complete the default `value`."""
    if type_.kind == "union":
        yield from _taken_in(type_.branches[0], value)
    elif type_.kind == "record":
        for each in type_.fields:
            if each.name in value:
                yield from _taken_in(each.type, value[each.name])
            else:
                yield each
    elif type_.items is not None:
        for item in value.values() if type_.kind == "map" else value:
            yield from _taken_in(type_.items, item)

"""What we want of the schemas that our own code writes, beyond what Avro demands.

Each of these is legal in Avro 1.12 and may come from elsewhere: it is read, and stops nobody. A model, and an export of it, has none of
them, so that older libraries and people read the contract as it is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from stamp.errors import SchemaError
from stamp.schema.defaults import Fit, gives_value
from stamp.schema.document import shown
from stamp.schema.extent import visits
from stamp.schema.names import COMPLEX, is_fullname, is_name, unqualified
from stamp.schema.types import MISSING, Field, Type, load

__all__ = ["CONVENTIONS", "Deviation", "deviations", "keep_conventions"]

CONVENTIONS: Final[Mapping[str, str]] = {
    "type-name-taken": "A type is named as a kind of types is, such as `record`.",
    "type-empty": "A type has no value: a union of nothing, an enum without symbols; or takes no bytes: a fixed of none.",
    "alias-illegal": "An alias is no legal name.",
    "alias-taken": "An alias of a field is another field's name.",
    "default-not-first": "A default is not of the first branch of its union, as readers before Avro 1.12 want it.",
    "default-without-value": "A default has no value in the logical type of its field, such as a UUID of no text.",
    "attribute-ignored": "A logical type is not valid where it stands.",
}
"""Every convention by the id that stands in the message of a deviation: what is against it."""


class Deviation(NamedTuple):
    """A legal part of a schema that our own would not have: the id of the convention, the path, and what was expected and found."""

    rule: str
    path: str
    message: str


def keep_conventions(schema: Any) -> None:
    """Accept a schema that the lint accepts, or raise the first thing in it that is against the conventions.

    Raises:
        SchemaError: with the id of the convention.
    """
    for rule, path, message in deviations(schema):
        raise SchemaError(f"{message} [{rule}]", path=path or None)


def deviations(schema: Any) -> Iterator[Deviation]:
    """Yield what in a schema that the lint accepts is against the conventions."""
    fit = Fit()
    for path, type_, again in visits(load(schema)):
        if again:
            continue
        for rule, message in _of_type(type_):
            yield Deviation(rule, path or unqualified(type_.name), message)
        for field in type_.fields:
            for rule, message in _of_field(field, type_, fit):
                yield Deviation(rule, f"{path or unqualified(type_.name)}.{field.name}", message)


def _of_type(type_: Type) -> Iterator[tuple[str, str]]:
    if type_.name and unqualified(type_.name) in _TAKEN:
        yield "type-name-taken", f'expected a name that Avro does not use itself, got "{type_.name}"'
    if (type_.kind, len(type_.symbols), len(type_.branches), type_.size) in _EMPTY:
        yield "type-empty", f"expected a type with values that take bytes, got {type_.label}"
    for alias in sorted(type_.aliases):
        if not is_fullname(alias):
            yield "alias-illegal", f"expected aliases that are legal names, got {shown(alias)}"
    for ignored in type_.ignored:
        yield "attribute-ignored", ignored.text


_TAKEN: Final = COMPLEX | {"union"}
_EMPTY: Final = {("union", 0, 0, 0), ("enum", 0, 0, 0), ("fixed", 0, 0, 0)}


def _of_field(field: Field, record: Type, fit: Fit) -> Iterator[tuple[str, str]]:
    for alias in field.aliases:
        if not is_name(alias):
            yield "alias-illegal", f"expected aliases that are legal names, got {shown(alias)}"
        elif alias in record.by_name and alias != field.name:
            yield "alias-taken", f"expected an alias that is no other field's name, got {shown(alias)}"
    for ignored in field.ignored:
        yield "attribute-ignored", ignored.text
    if field.default is MISSING:
        return
    if not gives_value(field):
        yield "default-without-value", f"expected a default that fits {field.type.label}, got {shown(field.default)}"
    for union, value in _later(field.type, field.default, fit):
        text = f"expected a default that fits {union.branches[0].label}, the first of its union, got {shown(value)}"
        yield "default-not-first", f"{text}: put its branch first"


def _later(type_: Type, value: Any, fit: Fit) -> Iterator[tuple[Type, Any]]:
    """Yield the unions in a default of which it has a later branch than the first, and what it has there."""
    if type_.kind == "union":
        branch = fit.branch(type_, value)
        if branch is not type_.branches[0]:
            yield type_, value
        elif branch is not None:
            yield from _later(branch, value, fit)
    elif type_.kind == "record":
        for each in type_.fields:
            if each.name in value:
                yield from _later(each.type, value[each.name], fit)
    elif type_.items is not None:
        for item in value.values() if type_.kind == "map" else value:
            yield from _later(type_.items, item, fit)

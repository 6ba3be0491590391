"""Composed Python values to Avro binary: closures over the writers of what they are composed of, appending to one bytearray.

The path of an error is put together while the error travels outwards, so that the normal case does not pay for it. How an annotation
becomes such a closure is the business of `stamp.schema.annotation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

from stamp.errors import EncodeError
from stamp.schema.form import Write
from stamp.schema.primitives import misfit
from stamp.schema.varint import zigzag


def one_of(write: Write, allowed: Sequence[Any]) -> Write:
    """Return `write` for these values only."""
    known = {(type(each), each) for each in allowed}
    kinds = {type(each) for each in allowed}
    expected = " or ".join(map(repr, allowed))

    def write_one(value: Any, out: bytearray) -> None:
        if type(value) not in kinds or (type(value), value) not in known:
            raise misfit(expected, value)
        write(value, out)

    return write_one


def enumeration(enum: type[Enum], allowed: Sequence[Enum], values: Mapping[Any, Enum]) -> Write:
    """Return the writer of an enum's members. `values` are other values that stand for a member."""
    codes = {member.name: zigzag(index) for index, member in enumerate(enum) if member in allowed}
    expected = f"a member of {enum.__name__}" + ("" if len(allowed) == len(enum) else f" among {', '.join(codes)}")

    def write(value: Any, out: bytearray) -> None:
        if type(value) is not enum:
            try:
                value = values[value]
            except (KeyError, TypeError):
                raise misfit(expected, value) from None
        try:
            out += codes[value._name_]  # the documented `name` is a property that takes four times as long
        except KeyError:
            raise misfit(expected, value) from None

    return write


def array(item: Write, accepts: tuple[type[Any], ...]) -> Write:
    """Return the writer of arrays, in one block (Avro 1.12, "Arrays")."""
    expected = "a " + " or ".join(each.__name__ for each in accepts)

    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, accepts):
            raise misfit(expected, value)
        if value:
            out += zigzag(len(value))
            index = 0
            try:
                for index, each in enumerate(value):  # noqa: B007 - the error names it
                    item(each, out)
            except EncodeError as error:
                raise error.within(f"[{index}]") from None
        out.append(0)

    return write


def unordered(item: Write, accepts: tuple[type[Any], ...], *, by_value: bool) -> Write:
    """Return the writer of sets, as arrays in a fixed order: of the values, or else of their bytes. Equal sets give equal bytes."""
    expected = "a " + " or ".join(each.__name__ for each in accepts)
    write_list = array(item, (list,))

    def encoded(each: Any) -> bytes:
        out = bytearray()
        item(each, out)
        return bytes(out)

    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, accepts):
            raise misfit(expected, value)
        try:
            arranged = sorted(value, key=None if by_value else encoded)
        except (TypeError, ArithmeticError):
            arranged = list(value)  # of several types: writing the items says which one is wrong
        write_list(arranged, out)

    return write


def mapping(key: Write, item: Write, accepts: type[Any]) -> Write:
    """Return the writer of maps, in one block (Avro 1.12, "Maps")."""

    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, accepts):
            raise misfit(f"a {accepts.__name__}", value)
        if value:
            out += zigzag(len(value))
            name = None
            try:
                for name, each in value.items():
                    key(name, out)
                    item(each, out)
            except EncodeError as error:
                raise error.within(f"[{name!r}]") from None
        out.append(0)

    return write


def optional(item: Write, *, null_first: bool) -> Write:
    """Return the writer of a union of null and one other type."""
    null, other = (0, 2) if null_first else (2, 0)

    def write(value: Any, out: bytearray) -> None:
        if value is None:
            out.append(null)
        else:
            out.append(other)
            item(value, out)

    return write


Branches: TypeAlias = Sequence[tuple[tuple[type, ...], Write]]
"""The branches of a union: the classes of the values of each, and its writer."""


def chooser(branches: Branches) -> Callable[[Any], int | None]:
    """Return what tells the number of a value's branch.

    It is that of the value's own class, else of the nearest class above it (a datetime is a date, and not the other way round),
    else the first that can write the value exactly: pydantic does not convert a default like `ratio: float | None = 1`.
    """
    exact = {each: index for index, (types, _) in enumerate(branches) for each in types}
    nearest = sorted(exact, key=lambda each: -len(each.__mro__))

    def choose(value: Any) -> int | None:
        index = exact.get(type(value))
        if index is None:
            index = next((exact[each] for each in nearest if isinstance(value, each)), None)
        if index is None:
            index = next((number for number, (_, write) in enumerate(branches) if _writes(write, value)), None)
        return index

    return choose


def _writes(write: Write, value: Any) -> bool:
    try:
        write(value, bytearray())
    except EncodeError:
        return False
    return True


def union(branches: Branches) -> Write:
    """Return the writer of a union."""
    exact = {each: (zigzag(index), write) for index, (types, write) in enumerate(branches) for each in types}
    expected = " or ".join(each.__name__ for each in exact)
    choose = chooser(branches)

    def write(value: Any, out: bytearray) -> None:
        found = exact.get(type(value))
        if found is None:
            index = choose(value)
            if index is None:
                raise misfit(expected, value)
            found = zigzag(index), branches[index][1]
        out += found[0]
        found[1](value, out)

    return write


def either(first: Write, second: Write) -> Write:
    """Return the writer of two forms that have one schema: what the first refuses, the second writes."""

    def write(value: Any, out: bytearray) -> None:
        start = len(out)
        try:
            first(value, out)
        except EncodeError:
            del out[start:]
            second(value, out)

    return write


def items(writes: Sequence[Write]) -> Write:
    """Return the writer of tuples with a type for each place."""

    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, tuple) or len(value) != len(writes):
            raise misfit(f"a tuple of {len(writes)}", value)
        index = 0
        try:
            for index, write_item in enumerate(writes):
                write_item(value[index], out)
        except EncodeError as error:
            raise error.within(f"[{index}]") from None

    return write


def _another_class(model: type, value: Any) -> EncodeError:
    if not isinstance(value, model):
        return misfit(f"an instance of {model.__name__}", value)
    given = type(value).__name__
    return EncodeError(
        f"expected an instance of {model.__name__} itself, got one of its subclass {given}, which would be read as {model.__name__}, "
        f"without the fields that it adds: write `{model.__name__} | {given}` where both may be"
    )


def record(model: type, fields: Sequence[tuple[str, Write]]) -> Write:
    """Return the writer of a model's instances. `fields` may still grow: a recursive model refers to itself."""

    def write(value: Any, out: bytearray) -> None:
        if type(value) is not model:
            raise _another_class(model, value)
        state, name = value.__dict__, ""
        try:
            for name, write_field in fields:
                write_field(state[name], out)
        except KeyError:
            raise EncodeError("expected a value, got none: was it made by model_construct?", path=name) from None
        except EncodeError as error:
            raise error.within(name) from None

    return write


def attribute(model: type, name: str, write_value: Write) -> Write:
    """Return the writer of a model that is nothing but its one attribute."""

    def write(value: Any, out: bytearray) -> None:
        if type(value) is not model:
            raise _another_class(model, value)
        write_value(getattr(value, name), out)

    return write

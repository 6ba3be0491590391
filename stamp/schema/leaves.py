"""An annotation taken apart into the types that it stands for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NamedTuple,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from stamp.schema.place import Place
from stamp.schema.refusals import check_metadata
from stamp.schema.scalars import flat

__all__ = ["Leaf", "leaves"]


class Leaf(NamedTuple):
    """One type of an annotation: no union, no alias, nothing that only annotates."""

    annotation: Any
    metadata: Sequence[Any]
    place: Place


def leaves(annotation: Any, metadata: Sequence[Any], place: Place) -> Iterator[Leaf]:
    """Yield the types that an annotation is a union of, or the one type that it is.

    `Annotated`, `NewType`, type aliases and type variables are seen through. What stands around a union counts for each of its types.

    Raises:
        SchemaError: a type alias contains itself, a type variable is not bound, or metadata is refused.
    """
    metadata = tuple(flat(metadata))
    check_metadata(metadata, place)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from leaves(arguments[0], (*flat(arguments[1:]), *metadata), place)
    elif origin in {Union, UnionType}:
        for each in arguments:
            yield from leaves(each, metadata, place)
    elif origin is Literal and None in arguments:
        yield Leaf(None, metadata, place)
        if rest := tuple(each for each in arguments if each is not None):
            yield Leaf(Literal[rest], metadata, place)
    elif isinstance(annotation, NewType):
        yield from leaves(annotation.__supertype__, metadata, place)
    elif isinstance(annotation, TypeVar):
        yield from leaves(_bound(annotation, place), metadata, place)
    elif _is_alias(origin or annotation):
        yield from leaves(_value(annotation, place), metadata, place.inside(annotation))
    else:
        yield Leaf(annotation, metadata, place)


def _bound(variable: TypeVar, place: Place) -> Any:
    """Return what pydantic takes for a type variable that nobody has bound."""
    default = getattr(variable, "__default__", None)
    if getattr(variable, "has_default", lambda: False)():
        return default
    if variable.__constraints__:
        return Union[variable.__constraints__]  # noqa: UP007 - the members are data
    if variable.__bound__ is None:
        raise place.error(f"expected a type, got the type variable {variable.__name__}: bind it, as in Box[int]")
    return variable.__bound__


def _is_alias(annotation: Any) -> bool:
    # `typing` has the class since Python 3.12, `typing_extensions` has one of its own.
    return type(annotation).__name__ == "TypeAliasType"


def _value(annotation: Any, place: Place) -> Any:
    """Return what a type alias, with or without arguments, stands for."""
    alias = get_origin(annotation) or annotation
    value = alias.__value__
    if isinstance(value, str):
        value = ForwardRef(value)
    try:
        module = vars(sys.modules[alias.__module__])
        value = get_type_hints(SimpleNamespace(__annotations__={"value": value}), module, include_extras=True)["value"]
    except NameError as error:
        raise place.error(
            f"expected a type alias of types that its module defines, got {alias.__name__}: {error}"
        ) from error
    given = dict(zip(alias.__type_params__, get_args(annotation), strict=False))
    if isinstance(value, TypeVar):
        return given.get(value, value)
    wanted = getattr(value, "__parameters__", ())
    return value[tuple(given.get(each, each) for each in wanted)] if wanted and given else value

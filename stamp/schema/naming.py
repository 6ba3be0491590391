"""What the Avro names of Python types are.

A name is the class's own, or what the class says in `__avro__`; a namespace is given or none. Neither ever comes from the Python
module: moving code must not rename a record. Where Python has no name, one is made from the content alone, never from the model
that contains it, so that a view in other hands gets the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

from pydantic import BaseModel

from stamp.errors import SchemaError
from stamp.schema.names import (
    COMPLEX,
    PRIMITIVES,
    Schema,
    declared_name,
    fullname,
    is_fullname,
    is_name,
    namespace_of,
    unqualified,
)
from stamp.schema.place import Place

__all__ = ["Names", "Options", "generic_origin", "head", "options", "outline", "reference", "tuple_name", "type_name"]

HOOK = "__avro__"


@dataclass(frozen=True, slots=True)
class Options:
    """What a class says about its Avro type in `__avro__`, a dict of these keys; all may be left out."""

    name: str | None = None
    namespace: str | None = None
    aliases: tuple[str, ...] = ()
    default: str | None = None


def options(cls: type) -> Options:
    """Return what `cls` itself, not a base class, says in `__avro__`.

    Raises:
        SchemaError: it has an unknown key or an illegal value.
    """
    given = cls.__dict__.get(HOOK, {})
    known = [key for key in _LEGAL if key != "default" or issubclass(cls, Enum)]
    if not isinstance(given, dict) or not given.keys() <= set(known):
        raise SchemaError(
            f"expected a dict in {HOOK} with no other keys than {', '.join(known)}, got {given!r}", path=cls.__name__
        )
    for key, value in given.items():
        if not _LEGAL[key](value, cls):
            raise SchemaError(f"expected a legal {key} in {HOOK}, got {value!r}", path=cls.__name__)
    return Options(**{**given, "aliases": tuple(given.get("aliases", ()))})


_LEGAL: Final[Mapping[str, Callable[[Any, type], bool]]] = {
    "name": lambda value, cls: is_name(value),
    "namespace": lambda value, cls: is_fullname(value),
    "aliases": lambda value, cls: isinstance(value, list | tuple) and all(map(is_fullname, value)),
    "default": lambda value, cls: value in [member.name for member in cast("type[Enum]", cls)],
}


def generic_origin(cls: type) -> type:
    """Return the class that was written down: `Box` for `Box[int]`."""
    generic = getattr(cls, "__pydantic_generic_metadata__", None)
    return (generic and generic["origin"]) or cls


def type_name(cls: type) -> str:
    """Return the unqualified Avro name of a model or enum; it may be illegal. `Box[int]` is `Box_int`."""
    origin = generic_origin(cls)
    if origin is cls or is_name(cls.__name__):
        return options(cls).name or cls.__name__
    return "_".join(
        (type_name(origin), *map(_label, cast("type[BaseModel]", cls).__pydantic_generic_metadata__["args"]))
    )


def _label(annotation: Any) -> str:
    """Return how a type argument is called within a name."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _label(arguments[0])
    if origin in {Union, UnionType}:
        return "_or_".join(map(_label, arguments))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Enum):
        return type_name(annotation)
    head = "" if annotation is Ellipsis else getattr(origin or annotation, "__name__", str(annotation))
    return "_".join(filter(None, (head.removesuffix("Type"), *map(_label, arguments))))


def outline(schema: Schema, namespace: str) -> Schema:
    """Return a schema with each named type as its full name only, wherever it is defined."""
    if isinstance(schema, str):
        return schema if schema in PRIMITIVES else fullname(schema, namespace)
    if isinstance(schema, list):
        return [outline(branch, namespace) for branch in schema]
    if "name" in schema:
        return declared_name(schema, namespace)
    if len(schema) == 1:
        return str(schema["type"])
    return {key: outline(value, namespace) if key in {"items", "values"} else value for key, value in schema.items()}


def tuple_name(outlines: Sequence[Schema]) -> str:
    """Return the name of the record for a tuple with these types at its places, made of them alone."""
    return "_".join((f"Tuple{len(outlines)}", *map(_content, outlines)))


def _content(outlined: Schema) -> str:
    if isinstance(outlined, str):
        return unqualified(outlined)
    if isinstance(outlined, list):
        return "_".join((f"union{len(outlined)}", *map(_content, outlined)))
    inner = outlined.get("items", outlined.get("values"))
    if inner is not None:
        return f"{outlined['type']}_{_content(inner)}"
    words = (outlined["logicalType"], outlined.get("precision"), outlined.get("scale"))
    return "_".join(str(word).replace("-", "_") for word in words if word is not None)


class Names:
    """The names given out within one schema. `namespace` is that of all types that do not say otherwise."""

    def __init__(self, namespace: str = "", taken: Iterable[str] = ()) -> None:
        self.namespace = namespace
        self._taken = set(taken)

    def copy(self) -> Names:
        """Return names of their own that begin with the same ones taken."""
        return Names(self.namespace, self._taken)

    def define(self, name: str, namespace: str | None, place: Place) -> str:
        """Return the full name of a type that is defined here and called `name`.

        When a type of that full name is there already, the name of the record around goes into the namespace. Schema resolution
        compares names without their namespaces (Avro 1.12, "Schema Resolution"), so that both types stay readable.

        Raises:
            SchemaError: the name is illegal, or taken all the same.
        """
        if not is_name(name) or name in PRIMITIVES | COMPLEX:
            raise place.error(
                f"expected a type with a legal Avro name (ASCII letters, digits and _), got {name!r}: "
                f"rename the class or give it {HOOK} = {{'name': ...}}"
            )
        full = fullname(name, namespace or self.namespace or place.namespace)
        if full in self._taken:
            full = fullname(name, place.record)
        if full in self._taken:
            raise place.error(
                f"expected one type of the name {full}, got another: rename the class or give it {HOOK} = {{'name': ...}}"
            )
        self._taken.add(full)
        return full


def head(full: str, place: Place) -> dict[str, Any]:
    """Return how a definition at this place says its full name."""
    namespace = namespace_of(full)
    return {"name": unqualified(full)} | ({} if namespace == place.namespace else {"namespace": namespace})


def reference(full: str, place: Place) -> str:
    """Return how this place refers to a type defined before.

    Raises:
        SchemaError: the type has no namespace and this place has: Avro has no way to say that.
    """
    if namespace_of(full) == place.namespace:
        return unqualified(full)
    if not namespace_of(full):
        raise place.error(f"expected a namespace for the schema: without one, {place.record} cannot refer to {full}")
    return full

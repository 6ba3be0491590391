"""Avro names (Avro 1.12, "Names")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from stamp.schema.limits import MAX_NAME

T = TypeVar("T")

Schema: TypeAlias = "str | list[Any] | dict[str, Any]"
"""A schema in its JSON form: a name, a union or an object."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED = frozenset({"record", "error", "enum", "fixed"})
COMPLEX = NAMED | {"array", "map"}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def is_name(text: object) -> bool:
    """Tell whether `text` is one legal Avro name: ASCII letters, digits and `_`, not starting with a digit, and not too many."""
    return isinstance(text, str) and len(text) <= MAX_NAME and _NAME.match(text) is not None


def is_namespace(text: object) -> bool:
    """Tell whether `text` is a legal namespace: names joined by dots, or empty."""
    return isinstance(text, str) and len(text) <= MAX_NAME and (not text or all(map(is_name, text.split("."))))


def is_fullname(text: object) -> bool:
    """Tell whether `text` is one legal name, or several joined by dots."""
    return is_namespace(text) and text != ""


def fullname(name: str, namespace: str | None) -> str:
    """Return `name` in full: a dotted name is full already, any other one belongs to `namespace`."""
    if "." in name or not namespace:
        return name.removeprefix(".")
    return f"{namespace}.{name}"


def declared_name(node: Mapping[str, Any], namespace: str) -> str:
    """Return the full name of the named type that `node` defines inside `namespace`: beside a dotted name its own namespace is ignored."""
    return fullname(node["name"], node.get("namespace", namespace))


def listed(things: Sequence[T], name: Callable[[T], str] = str) -> str:
    """Return the names of things for a message: those of the first 20, and how many more there are."""
    more = f" and {len(things) - LISTED:,} more" if len(things) > LISTED else ""
    return ", ".join(map(name, things[:LISTED])) + more


LISTED = 20


def unqualified(name: str) -> str:
    """Return the last part of a full name."""
    return name.rpartition(".")[2]


def namespace_of(name: str) -> str:
    """Return everything before the last part of a full name; empty when there is none."""
    return name.rpartition(".")[0]

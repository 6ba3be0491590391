"""Each part of a schema by itself: the right JSON type, legal names, all that it needs (Avro 1.12, "Schema Declaration").

What Avro allows passes, however odd; what we want of our own schemas beyond that is in `stamp.schema.conventions`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from stamp.errors import SchemaError
from stamp.schema.constraint import ATTRIBUTE
from stamp.schema.document import shown
from stamp.schema.limits import MAX_DEPTH, MAX_FIELDS, MAX_FIXED, MAX_NAME, MAX_SYMBOLS
from stamp.schema.misworded import miswordings
from stamp.schema.names import (
    COMPLEX,
    NAMED,
    PRIMITIVES,
    declared_name,
    fullname,
    is_fullname,
    is_name,
    is_namespace,
    namespace_of,
    unqualified,
)

__all__ = ["misshapes"]

_CONTAINERS: Final = ("record", "error", "array", "map")

ORDERS: Final = ("ascending", "descending", "ignore")


class _Place(NamedTuple):
    """Where the walk is, and which names have been defined before."""

    path: str
    namespace: str
    depth: int
    defined: set[str]

    def problem(self, text: str) -> SchemaError:
        return SchemaError(text, path=self.path or None)

    def below(self, step: str) -> _Place:
        return _Place(self.path + step, self.namespace, self.depth + 1, self.defined)


def misshapes(schema: Any) -> Iterator[SchemaError]:
    """Yield what is wrong with the parts of a schema, which is any plain JSON, in the order of its text."""
    return _schema(schema, _Place(path="", namespace="", depth=0, defined=set()))


def _schema(node: Any, at: _Place) -> Iterator[SchemaError]:
    if isinstance(node, str):
        yield from _reference(node, at)
    elif isinstance(node, list):
        yield from _union(node, at)
    elif isinstance(node, dict):
        yield from _type(node, at)
    else:
        yield at.problem(f"expected a schema (a name, a list or an object), got {shown(node)}")


def _reference(name: str, at: _Place) -> Iterator[SchemaError]:
    if name in PRIMITIVES or (is_fullname(name) and fullname(name, at.namespace) in at.defined):
        return
    if name in COMPLEX:
        yield at.problem(f'expected a type, got the bare word "{name}": write an object, {{"type": "{name}", ...}}')
    elif not is_fullname(name):
        yield at.problem(f"expected the name of a type{_length(name)}, got {shown(name)}")
    else:
        found = fullname(name, at.namespace)
        yield at.problem(f'expected a type that the schema defines before this place, got the name "{found}"')


def _length(name: Any) -> str:
    """Say how long names may be, where that is what is wrong."""
    is_too_long = isinstance(name, str) and len(name) > MAX_NAME
    return f" of at most {MAX_NAME} characters" if is_too_long else ""


def _union(branches: list[Any], at: _Place) -> Iterator[SchemaError]:
    seen: set[str] = set()
    for branch in branches:
        if isinstance(branch, list):
            yield at.problem("expected a type in a union, got another union: write the branches of both in one list")
            continue
        yield from _schema(branch, at)
        name = _branch_name(branch, at)
        if name in seen:
            yield at.problem(
                f'expected a union with one branch of each type, got two of "{name.removeprefix("type ")}"'
            )
        seen |= {name} if name else set()


def _branch_name(branch: Any, at: _Place) -> str | None:
    """Return what must be unique in a union: the full name of a named type, `type` and the type name of another one."""
    if isinstance(branch, str):
        return f"type {branch}" if branch in PRIMITIVES else fullname(branch, at.namespace)
    kind = branch.get("type") if isinstance(branch, dict) else None
    if isinstance(kind, str) and kind in NAMED:
        return _full_name(branch, at)
    return f"type {kind}" if isinstance(kind, str) else None


def _type(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    kind = node.get("type")
    if isinstance(kind, str) and kind in NAMED and (name := _full_name(node, at)):
        at = at._replace(path=at.path or unqualified(name))
    if at.depth >= MAX_DEPTH and kind in _CONTAINERS:
        yield at.problem(f"expected at most {MAX_DEPTH} types inside each other, got more")
    elif not isinstance(kind, str):
        yield at.problem(f'expected an object whose "type" is the name of a type, got {shown(node)}')
    elif kind in COMPLEX or kind in PRIMITIVES:
        if kind in _CHECKS:
            yield from _CHECKS[kind](node, at)
    else:
        yield at.problem(
            f'expected the name of a built-in type as "type", got {shown(kind)}: refer to a type by its bare name'
        )


def _array(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    if "items" not in node:
        yield at.problem('expected an array with "items", got none')
    else:
        yield from _schema(node["items"], at.below("[]"))


def _map(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    if "values" not in node:
        yield at.problem('expected a map with "values", got none')
    else:
        yield from _schema(node["values"], at.below("{}"))


def _full_name(node: Mapping[str, Any], at: _Place) -> str | None:
    legal = is_fullname(node.get("name")) and _has_legal_namespace(node)
    return declared_name(node, at.namespace) if legal else None


def _has_legal_namespace(node: Mapping[str, Any]) -> bool:
    return "." in str(node.get("name")) or is_namespace(node.get("namespace", ""))


def _head(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    """Check what all named types have: name, namespace, doc, aliases. The name counts as defined from here on."""
    name = _full_name(node, at)
    if not is_fullname(node.get("name")):
        yield at.problem(
            f"expected a {node['type']} with a legal name{_length(node.get('name'))}, got {shown(node.get('name'))}"
        )
    if not _has_legal_namespace(node):
        yield at.problem(f"expected a legal namespace{_length(node['namespace'])}, got {shown(node['namespace'])}")
    if name is not None:
        if unqualified(name) in PRIMITIVES:
            yield at.problem(f'expected a name that no primitive type has, got "{name}"')
        if name in at.defined:
            yield at.problem(
                f'expected each type to be defined once, got "{name}" again: refer to the first by its name'
            )
        at.defined.add(name)
    yield from _words(node, at)


def _words(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    """Check what named types and fields may have: doc and aliases. Any text is an alias: it may stand for a name that was none."""
    if "doc" in node and not isinstance(node["doc"], str):
        yield at.problem(f"expected a doc that is a string, got {shown(node['doc'])}")
    aliases = node.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(each, str) for each in aliases):
        yield at.problem(f"expected aliases that are a list of strings, got {shown(aliases)}")


def _fixed(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    yield from _head(node, at)
    size = node.get("size")
    if type(size) is not int or not 0 <= size <= MAX_FIXED:
        yield at.problem(f"expected a fixed with a size of 0 to {MAX_FIXED} bytes, got {shown(size)}")


def _enum(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    yield from _head(node, at)
    symbols = node.get("symbols")
    if not isinstance(symbols, list) or not len(symbols) <= MAX_SYMBOLS:
        yield at.problem(f"expected an enum with a list of up to {MAX_SYMBOLS} symbols, got {shown(symbols)}")
        return
    illegal = [symbol for symbol in symbols if not is_name(symbol)]
    if illegal:
        yield at.problem(f"expected symbols that are legal names{_length(illegal[0])}, got {shown(illegal[0])}")
    elif twice := _first_twice(symbols):
        yield at.problem(f'expected each symbol once, got "{twice}" twice')
    if "default" in node and node["default"] not in symbols:
        yield at.problem(f"expected a default among the symbols, got {shown(node['default'])}")


def _record(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    yield from _head(node, at)
    name = _full_name(node, at)
    if name is not None:
        at = at._replace(namespace=namespace_of(name))
    yield from _constraint(node, at)
    fields = node.get("fields")
    if not isinstance(fields, list) or len(fields) > MAX_FIELDS:
        got = shown(fields) if not isinstance(fields, list) else len(fields)
        yield at.problem(f"expected a record with a list of up to {MAX_FIELDS} fields, got {got}")
        return
    names = [each["name"] for each in fields if isinstance(each, dict) and is_name(each.get("name"))]
    if twice := _first_twice(names):
        yield at.problem(f'expected each field once, got "{twice}" twice')
    for number, each in enumerate(fields):
        yield from _field(each, number, at)


def _field(node: Any, number: int, at: _Place) -> Iterator[SchemaError]:
    if not isinstance(node, dict) or not is_name(node.get("name")):
        got = node.get("name") if isinstance(node, dict) else node
        yield at.below(f".fields[{number}]").problem(
            f"expected a field with a legal name{_length(got)}, got {shown(got)}"
        )
        return
    at = at.below(f".{node['name']}")
    if "type" not in node:
        yield at.problem('expected a field with a "type", got none')
    else:
        yield from _schema(node["type"], at)
    yield from _words(node, at)
    yield from _constraint(node, at)
    if node.get("order", "ascending") not in ORDERS:
        yield at.problem(f"expected an order that is one of {', '.join(ORDERS)}, got {shown(node['order'])}")


def _constraint(node: Mapping[str, Any], at: _Place) -> Iterator[SchemaError]:
    """Check what is said to us; an attribute of our name that is no object is somebody else's."""
    if isinstance(node.get(ATTRIBUTE), dict):
        yield from map(at.problem, miswordings(node[ATTRIBUTE]))


def _first_twice(names: list[str]) -> str | None:
    if len(set(names)) == len(names):
        return None
    return next(name for name, count in Counter(names).items() if count > 1)


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any], _Place], Iterator[SchemaError]]]] = {
    "array": _array,
    "map": _map,
    "fixed": _fixed,
    "enum": _enum,
    "record": _record,
    "error": _record,
}

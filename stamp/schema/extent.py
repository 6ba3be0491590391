"""What the types of a schema amount to together: whether data can end, how deep it goes, how many types a datum passes through."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import NamedTuple, TypeVar

from stamp.errors import SchemaError
from stamp.schema.limits import MAX_DEPTH, MAX_NAMED, MAX_NODES
from stamp.schema.names import PRIMITIVES, unqualified
from stamp.schema.types import Type

__all__ = ["Visit", "excesses", "is_weightless", "least", "visits"]

T = TypeVar("T")


class Visit(NamedTuple):
    """A type and the path to it; `again` when the path leads through the same type before: it is recursive."""

    path: str
    type: Type
    again: bool


def visits(root: Type) -> Iterator[Visit]:
    """Yield every type once, at the first path to it, and every place where a type contains itself."""
    return _visits(root, "", frozenset(), set())


def _visits(type_: Type, path: str, around: frozenset[Type], seen: set[Type]) -> Iterator[Visit]:
    if type_ in around:
        yield Visit(path, type_, again=True)
    elif type_ not in seen:
        seen.add(type_)
        yield Visit(path, type_, again=False)
        if type_.kind not in PRIMITIVES:
            inside = around | {type_}
            for step, part in _parts(type_, path):
                yield from _visits(part, step, inside, seen)


def _parts(type_: Type, path: str) -> Iterator[tuple[str, Type]]:
    for each in type_.fields:
        yield f"{path or unqualified(type_.name)}.{each.name}", each.type
    for branch in type_.branches:
        yield path, branch
    if type_.items is not None:
        yield path + ("[]" if type_.kind == "array" else "{}"), type_.items


def excesses(root: Type, *, recursion: bool) -> Iterator[SchemaError]:
    """Yield where data of a schema could be without end or bound, though each of its parts is right."""
    seen = list(visits(root))
    named = sum(1 for visit in seen if visit.type.name and not visit.again)
    if named > MAX_NAMED:
        yield SchemaError(f"expected at most {MAX_NAMED} named types, got {named}")
        return
    records = [visit for visit in reversed(seen) if visit.type.kind == "record" and not visit.again]
    yield from _recursive(seen) if not recursion else _infinite(records)
    yield from _weightless(seen)
    yield from _too_much(root)


def _recursive(seen: Iterable[Visit]) -> Iterator[SchemaError]:
    for path, type_, again in seen:
        if again:
            yield SchemaError(
                f"expected a type that does not contain itself, got {type_.label} inside itself: the schema of a contract says how deep its data go",
                path=path,
            )


def _infinite(records: Iterable[Visit]) -> Iterator[SchemaError]:
    ends = least((visit.type for visit in records), _can_end)
    for path, type_, _ in reversed(list(records)):
        if type_ not in ends:
            text = f"expected data that can end, got {type_.label} that always contains another one, or something without values"
            yield SchemaError(text, path=path or unqualified(type_.name))


def _can_end(record: Type, ends: Container[Type]) -> bool:
    def has_end(type_: Type) -> bool:
        if type_.kind == "union":
            return any(map(has_end, type_.branches))
        return type_.kind != "record" or type_ in ends

    return all(has_end(each.type) for each in record.fields)


def _weightless(seen: Iterable[Visit]) -> Iterator[SchemaError]:
    """Refuse arrays of items without bytes: a few bytes could claim very many of them."""
    for path, type_, again in seen:
        if type_.kind == "array" and type_.items is not None and not again and is_weightless(type_.items):
            yield SchemaError(
                f"expected array items that take bytes, got {type_.items.label}: a few bytes could claim millions of them",
                path=f"{path}[]",
            )


def is_weightless(type_: Type) -> bool:
    """Tell whether data of a type, if there are any, take no bytes: null, a fixed of none, records of nothing else."""
    return _is_weightless(type_, {})


def _is_weightless(type_: Type, known: dict[Type, bool]) -> bool:
    if type_.kind == "record" and type_ not in known:
        known[type_] = True  # what contains itself is decided by what else is in it
        known[type_] = all(_is_weightless(each.type, known) for each in type_.fields)
    return known.get(type_, type_.kind == "null" or (type_.kind == "fixed" and type_.size == 0))


def _too_much(root: Type) -> Iterator[SchemaError]:
    depth, nodes = _measure(root, {})
    path = unqualified(root.name) or None
    if depth > MAX_DEPTH:
        yield SchemaError(f"expected at most {MAX_DEPTH} types inside each other, got {depth}", path=path)
    if nodes > MAX_NODES:
        yield SchemaError(f"expected at most {MAX_NODES} types, references followed, got {nodes}", path=path)


def _measure(type_: Type, known: dict[Type, tuple[int, int]]) -> tuple[int, int]:
    """Return how deep data of a type goes and how many types that is; a recursion counts as one and goes no deeper."""
    if type_ not in known:
        known[type_] = 0, 1
        parts = [_measure(part, known) for _, part in _parts(type_, "")]
        inner = max((depth for depth, _ in parts), default=0)
        has_level = type_.kind in {"record", "array", "map"}
        known[type_] = inner + has_level, 1 + sum(nodes for _, nodes in parts)
    return known[type_]


def least(candidates: Iterable[T], holds: Callable[[T, Container[T]], bool]) -> dict[T, None]:
    """Return the least set of candidates of which `holds(candidate, set)`, each after those that it needs."""
    waiting, found = list(candidates), dict[T, None]()
    while True:
        before = len(found)
        for each in waiting:
            if each not in found and holds(each, found):
                found[each] = None
        if len(found) == before:
            return found

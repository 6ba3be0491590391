"""Whether a default fits its field (Avro 1.12, table of default values under "Complex Types")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stamp.errors import SchemaError
from stamp.schema.defaults import Fit, fits
from stamp.schema.document import shown
from stamp.schema.extent import is_weightless, least, visits
from stamp.schema.limits import MAX_DEPTH, MAX_NODES, MAX_WEIGHTLESS
from stamp.schema.names import unqualified
from stamp.schema.ranges import is_held
from stamp.schema.types import MISSING, Field, Type

__all__ = ["misfits"]


def misfits(root: Type) -> Iterator[SchemaError]:
    """Yield the defaults of a schema that do not fit their fields, and then those that never end."""
    fields = {
        each: f"{path or unqualified(type_.name)}.{each.name}"
        for path, type_, again in visits(root)
        for each in type_.fields
        if not again and each.default is not MISSING
    }
    look = _Look()
    sound = True
    for each, path in fields.items():
        for problem in look.misfits(each.type, each.default, path, 0):
            sound = False
            yield problem
    if sound:
        yield from look.endless(fields)


class _Look:
    def __init__(self) -> None:
        self._fit = Fit()

    def misfits(self, type_: Type, value: Any, path: str, depth: int) -> Iterator[SchemaError]:
        if type_.kind == "union":
            yield from self._misfits_of_branch(type_, value, path, depth)
        elif depth > MAX_DEPTH:
            yield SchemaError(f"expected a default of at most {MAX_DEPTH} levels, got more", path=path)
        elif not fits(type_, value) or not is_held(type_, value):
            yield SchemaError(f"expected a default that fits {type_.label}, got {shown(value)}", path=path)
        elif type_.kind == "record":
            yield from self._misfits_of_record(type_, value, path, depth)
        elif type_.items is not None:
            yield from self._misfits_of_items(type_, value, path, depth)

    def _misfits_of_branch(self, union: Type, value: Any, path: str, depth: int) -> Iterator[SchemaError]:
        """Say why a default is of no branch; where only one comes near, why it is not of that."""
        branch = self._fit.branch(union, value)
        near = [branch] if branch is not None else [each for each in union.branches if fits(each, value)]
        if len(near) == 1:
            yield from self.misfits(near[0], value, path, depth)
        else:
            yield SchemaError(f"expected a default that fits a branch of {union.label}, got {shown(value)}", path=path)

    def _misfits_of_items(self, type_: Type, value: Any, path: str, depth: int) -> Iterator[SchemaError]:
        inner = type_.items
        assert inner is not None
        if type_.kind == "array" and len(value) > MAX_WEIGHTLESS and is_weightless(inner):
            text = f"expected a default of at most {MAX_WEIGHTLESS} items that take no bytes, got {len(value)}"
            yield SchemaError(text, path=path)
        for step, item in value.items() if type_.kind == "map" else enumerate(value):
            yield from self.misfits(inner, item, f"{path}[{shown(step)}]", depth + 1)

    def _misfits_of_record(self, record: Type, value: dict[str, Any], path: str, depth: int) -> Iterator[SchemaError]:
        for name in [name for name in value if name not in record.by_name]:
            text = f"expected a default with the fields of {record.label}, got another one, {shown(name)}"
            yield SchemaError(text, path=path)
        for each in record.fields:
            if each.name in value:
                yield from self.misfits(each.type, value[each.name], f"{path}.{each.name}", depth + 1)
            elif each.default is MISSING:
                text = f'expected a default with the field "{each.name}", that has none itself, got {shown(value)}'
                yield SchemaError(text, path=path)

    def endless(self, fields: Mapping[Field, str]) -> Iterator[SchemaError]:
        """Refuse defaults that take in each other without end, or too many of them: `next: [Node, null] = {}` in Node."""
        needs = {each: list(self._taken_in(each.type, each.default, 1)) for each in fields}
        ends = least(needs, lambda each, found: all(need in found for need, _ in needs[each]))
        sizes: dict[Field, int] = {}
        levels: dict[Field, int] = {}
        for each in ends:
            sizes[each] = 1 + sum(sizes[need] for need, _ in needs[each])
            completed = (depth + levels[need] for need, depth in needs[each])
            levels[each] = max((self._given(each.type, each.default), *completed))
        for each, path in fields.items():
            if sizes.get(each, MAX_NODES + 1) > MAX_NODES:
                yield SchemaError(
                    "expected a default that ends, got one that takes in itself or far too many others", path=path
                )
            elif levels[each] > MAX_DEPTH:
                text = f"expected a default of at most {MAX_DEPTH} levels, got more with the defaults that complete it"
                yield SchemaError(text, path=path)

    def _given(self, type_: Type, value: Any) -> int:
        """Return how many levels a default has by itself."""
        if type_.kind == "union":
            branch = self._fit.branch(type_, value)
            return 0 if branch is None else self._given(branch, value)
        if type_.kind == "record":
            inner = [self._given(each.type, value[each.name]) for each in type_.fields if each.name in value]
        elif type_.items is not None:
            inner = [self._given(type_.items, item) for item in (value.values() if type_.kind == "map" else value)]
        else:
            return 0
        return 1 + max(inner, default=0)

    def _taken_in(self, type_: Type, value: Any, depth: int) -> Iterator[tuple[Field, int]]:
        """Yield the fields, again and again, whose own defaults complete the default `value`, and the level where they do."""
        if type_.kind == "union":
            branch = self._fit.branch(type_, value)
            if branch is not None:
                yield from self._taken_in(branch, value, depth)
        elif type_.kind == "record":
            for each in type_.fields:
                if each.name in value:
                    yield from self._taken_in(each.type, value[each.name], depth + 1)
                else:
                    yield each, depth
        elif type_.items is not None:
            for item in value.values() if type_.kind == "map" else value:
                yield from self._taken_in(type_.items, item, depth + 1)

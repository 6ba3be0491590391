"""A schema with its named types in a table, so that it can be changed without losing a definition that something else refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from stamp.schema.logical import LOGICAL
from stamp.schema.names import NAMED, PRIMITIVES, Schema, declared_name, fullname, namespace_of, unqualified

__all__ = ["Outline", "Slot"]


class Slot(NamedTuple):
    """A place of a type in an outline: `holder[key]`. `kind` is that of its type, `reference` for a name.

    `field` is the field that is of this type, if one is. The definition of a named type has a slot of its own.
    """

    holder: Any
    key: Any
    kind: str
    field: dict[str, Any] | None = None

    @property
    def node(self) -> Any:
        """The type."""
        return self.holder[self.key]

    @property
    def is_branch(self) -> bool:
        """Whether it is one of a union."""
        return isinstance(self.holder, list)

    @property
    def is_definition(self) -> bool:
        """Whether it is the definition of a named type."""
        return self.kind in NAMED

    @property
    def logical(self) -> str:
        """Its logical type; none when it is one that Avro ignores."""
        logical = self.node.get("logicalType", "") if isinstance(self.node, dict) else ""
        return logical if self.kind in LOGICAL.get(logical, ()) else ""

    def fill(self, node: Any) -> None:
        """Put another type there."""
        self.holder[self.key] = node


@dataclass(slots=True)
class Outline:
    """The types of a schema. `types` has the named ones under what the others call them, each with its present name, in full."""

    top: dict[str, Any]
    types: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, schema: Schema) -> Outline:
        """Return the outline of a schema that has passed the lint; nothing of it is changed later."""
        outline = cls({}, {})
        outline.top["type"] = outline._read(schema, "")
        return outline

    def _read(self, node: Any, namespace: str) -> Any:
        if isinstance(node, str):
            return node if node in PRIMITIVES else fullname(node, namespace)
        if isinstance(node, list):
            return [self._read(branch, namespace) for branch in node]
        if node["type"] in NAMED:
            return self._defined(node, declared_name(node, namespace))
        return {key: self._read(value, namespace) if key in _PARTS else value for key, value in node.items()}

    def _defined(self, node: Mapping[str, Any], name: str) -> str:
        namespace = namespace_of(name)
        self.types[name] = kept = {key: value for key, value in node.items() if key != "namespace"} | {"name": name}
        if "aliases" in node:
            kept["aliases"] = [fullname(alias, namespace) for alias in node["aliases"]]
        if "symbols" in node:
            kept["symbols"] = [*node["symbols"]]
        if "fields" in node:
            kept["fields"] = [{**each, "type": self._read(each["type"], namespace)} for each in node["fields"]]
        return name

    def schema(self) -> Any:
        """Return the schema: each named type is defined where it comes first, and named from there on."""
        return self._written(self.top["type"], "", set())

    def _written(self, node: Any, namespace: str, done: set[str]) -> Any:
        if isinstance(node, str):
            if node in PRIMITIVES:
                return node
            return self._reference(node, namespace) if node in done else self._definition(node, namespace, done)
        if isinstance(node, list):
            return [self._written(branch, namespace, done) for branch in node]
        return {key: self._written(value, namespace, done) if key in _PARTS else value for key, value in node.items()}

    def _reference(self, key: str, namespace: str) -> str:
        name: str = self.types[key]["name"]
        return unqualified(name) if namespace_of(name) == namespace else name

    def _definition(self, key: str, namespace: str, done: set[str]) -> dict[str, Any]:
        done.add(key)
        node = dict(self.types[key])
        own = namespace_of(node["name"])
        if own == namespace or not own or "." in own:  # the three ways in which Avro may say a full name
            node["name"] = unqualified(node["name"])
            node |= {"namespace": own} if own != namespace else {}
        if "fields" in node:
            node["fields"] = [{**each, "type": self._written(each["type"], own, done)} for each in node["fields"]]
        return node

    def slots(self) -> Iterator[Slot]:
        """Yield the places of all types that are in use, from the outermost one inwards."""
        seen: set[str] = set()
        waiting: list[tuple[Any, Any, dict[str, Any] | None]] = [(self.top, "type", None)]
        while waiting:
            holder, key, field = waiting.pop()
            node = holder[key]
            if isinstance(node, str) and node not in PRIMITIVES:
                yield Slot(holder, key, "reference", field)
                if node not in seen:
                    seen.add(node)
                    yield Slot(self.types, node, self.types[node]["type"])
                    waiting += [(each, "type", each) for each in self.types[node].get("fields", ())]
            elif isinstance(node, list):
                yield Slot(holder, key, "union", field)
                waiting += [(node, number, None) for number in range(len(node))]
            else:
                yield Slot(holder, key, node if isinstance(node, str) else node["type"], field)
                waiting += [(node, part, None) for part in _PARTS if isinstance(node, dict) and part in node]


_PARTS = ("items", "values")

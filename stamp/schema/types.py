"""An Avro schema as linked objects: references resolved, names in full, logical types recognised.

`load` turns linted JSON into a graph of `Type`; everything that walks two schemas side by side walks this graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from stamp.errors import SchemaError
from stamp.schema.constraint import ATTRIBUTE, NOTHING, Constraint, constraint
from stamp.schema.names import COMPLEX, NAMED, PRIMITIVES, fullname, namespace_of

__all__ = ["MISSING", "Field", "Type", "load"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""The default of a field that has none (`None` is a default: JSON null)."""

LOGICAL: Final[Mapping[str, frozenset[str]]] = {
    "date": frozenset({"int"}),
    "time-millis": frozenset({"int"}),
    "time-micros": frozenset({"long"}),
    "timestamp-millis": frozenset({"long"}),
    "timestamp-micros": frozenset({"long"}),
    "local-timestamp-millis": frozenset({"long"}),
    "local-timestamp-micros": frozenset({"long"}),
    "timestamp-nanos": frozenset({"long"}),
    "local-timestamp-nanos": frozenset({"long"}),
    "timedelta-micros": frozenset({"long"}),
    "uuid": frozenset({"string", "fixed"}),
    "decimal": frozenset({"bytes", "fixed"}),
    "big-decimal": frozenset({"bytes"}),
    "duration": frozenset({"fixed"}),
}
"""Every logical type of Avro 1.12 and our own, with the types that may carry it; others are ignored, as Avro has it."""


@dataclass(slots=True, eq=False)
class Field:
    """One field of a record. `default` is the JSON of the schema, or `MISSING`; `constraint` is what it demands beyond its type."""

    name: str
    type: Type
    default: Any = MISSING
    aliases: tuple[str, ...] = ()
    constraint: Constraint = NOTHING


@dataclass(slots=True, eq=False)
class Type:
    """One type of a schema; a named type is one object however often it is referred to.

    `kind` is the Avro type name, or `union`. `items` is what an array or a map holds. `decode` turns a datum of a reader type into
    the Python value that its model wants (see `stamp.schema.model`). `mark`, where somebody has set it, is equal for types that are
    equal in all that can matter to a reader, down to their last field: comparing them takes no walk. `validator` names the model
    of a record that has validators of its own.
    """

    kind: str
    name: str = ""
    aliases: frozenset[str] = frozenset()
    logical: str = ""
    precision: int = 0
    scale: int = 0
    size: int = 0
    symbols: tuple[str, ...] = ()
    default: str | None = None
    fields: Sequence[Field] = ()
    branches: Sequence[Type] = ()
    items: Type | None = None
    decode: Callable[[Any], Any] | None = None
    mark: str = ""
    validator: str = ""
    _by_name: Mapping[str, Field] | None = field(default=None, init=False, repr=False)
    _special: Sequence[Field] | None = field(default=None, init=False, repr=False)

    def __repr__(self) -> str:
        return f"<{self.label}>"

    @property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by their names, once they are all there."""
        if self._by_name is None:
            self._by_name = {each.name: each for each in self.fields}
        return self._by_name

    @property
    def special(self) -> Sequence[Field]:
        """The fields with aliases, a default or a constraint, once they are all there: of the others their names and types say all."""
        if self._special is None:
            self._special = [
                each for each in self.fields if each.aliases or each.constraint or each.default is not MISSING
            ]
        return self._special

    @property
    def label(self) -> str:
        """How messages call this type: `record ticket.Item`, `decimal(9, 2)`, `array of long`."""
        if self.kind == "union":
            return f"union [{', '.join(branch.label for branch in self.branches)}]"
        if self.items is not None:
            return f"{self.kind} of {self.items.label}"
        if self.logical == "decimal":
            return f"decimal({self.precision}, {self.scale})"
        return self.logical or (f"{self.kind} {self.name}" if self.name else self.kind)


def load(schema: Any) -> Type:
    """Return the type graph of a schema in its JSON form.

    The schema is expected to have passed `stamp.schema.lint`; what would make no sense at all raises SchemaError.
    """
    return _Loader().type(schema, "")


@dataclass(slots=True)
class _Loader:
    names: dict[str, Type] = field(default_factory=dict)

    def type(self, node: Any, namespace: str) -> Type:
        if isinstance(node, str):
            return self._primitive_or_reference(node, namespace)
        if isinstance(node, list):
            return Type("union", branches=tuple(self.type(branch, namespace) for branch in node))
        if not isinstance(node, dict):
            raise SchemaError(f"expected a schema, got {node!r}")
        kind = node.get("type")
        if isinstance(kind, (dict, list)) or (kind not in PRIMITIVES and kind not in COMPLEX):
            return self.type(kind, namespace)
        loaded = self._named(kind, node, namespace) if kind in NAMED else self._unnamed(kind, node, namespace)
        loaded.decode = getattr(node, "decode", None)
        return loaded

    def _primitive_or_reference(self, name: str, namespace: str) -> Type:
        if name in PRIMITIVES:
            return Type(name)
        found = self.names.get(fullname(name, namespace)) or self.names.get(name)
        if found is None:
            raise SchemaError(f"expected a type, got the name {name!r} that nothing in this schema defines")
        return found

    def _unnamed(self, kind: str, node: Mapping[str, Any], namespace: str) -> Type:
        loaded = Type(kind)
        if kind in {"array", "map"}:
            loaded.items = self.type(node["items" if kind == "array" else "values"], namespace)
        _annotate(loaded, node)
        return loaded

    def _named(self, kind: str, node: Mapping[str, Any], namespace: str) -> Type:
        name = fullname(node["name"], node.get("namespace", namespace))
        inner = namespace_of(name)
        loaded = Type("record" if kind == "error" else kind, name)
        loaded.aliases = frozenset(fullname(alias, inner) for alias in node.get("aliases", ()))
        self.names[name] = loaded
        if kind == "fixed":
            loaded.size = node["size"]
            _annotate(loaded, node)
        elif kind == "enum":
            loaded.symbols, loaded.default = tuple(node["symbols"]), node.get("default")
        else:
            loaded.fields = tuple(self._field(each, inner) for each in node["fields"])
            loaded.validator = str(node.get(ATTRIBUTE, {}).get("validator", ""))
        return loaded

    def _field(self, node: Mapping[str, Any], namespace: str) -> Field:
        aliases = tuple(node.get("aliases", ()))
        said = constraint(node[ATTRIBUTE]) if ATTRIBUTE in node else NOTHING
        return Field(node["name"], self.type(node["type"], namespace), node.get("default", MISSING), aliases, said)


def _annotate(loaded: Type, node: Mapping[str, Any]) -> None:
    logical = node.get("logicalType")
    if isinstance(logical, str) and loaded.kind in LOGICAL.get(logical, ()):
        loaded.logical = logical
        loaded.precision, loaded.scale = node.get("precision", 0), node.get("scale", 0)

"""An Avro schema as linked objects: references resolved, names in full, logical types recognised.

`load` turns linted JSON into a graph of `Type`; everything that walks two schemas side by side walks this graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from stamp.errors import SchemaError
from stamp.schema.constraint import ATTRIBUTE, NOTHING, Constraint, constraint
from stamp.schema.document import shown
from stamp.schema.ignored import Ignored, of_field, of_record, of_type
from stamp.schema.logical import LOGICAL, flaw, misplaced
from stamp.schema.names import COMPLEX, NAMED, PRIMITIVES, fullname, listed, namespace_of

__all__ = ["MISSING", "Field", "Type", "load"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""The default of a field that has none (`None` is a default: JSON null)."""


@dataclass(slots=True, eq=False)
class Field:
    """One field of a record. `default` is the JSON of the schema, or `MISSING`; `constraint` is what it demands beyond its type.

    `ignored` says what of the schema counts for nothing though it was meant to, and why. `fills` is what
    `stamp.schema.defaults.gives_value` has found out.
    """

    name: str
    type: Type
    default: Any = MISSING
    aliases: tuple[str, ...] = ()
    constraint: Constraint = NOTHING
    ignored: Sequence[Ignored] = ()
    fills: bool | None = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Type:
    """One type of a schema; a named type is one object however often it is referred to.

    `kind` is the Avro type name, or `union`. `items` is what an array or a map holds. `decode` turns a datum of a reader type into
    the Python value that its model wants (see `stamp.schema.model`). `mark`, where somebody has set it, is equal for types that are
    equal in all that can matter to a reader, down to their last field: comparing them takes no walk. `validator` names the model
    of a record that has validators of its own. `ignored` is as that of a field.
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
    ignored: Sequence[Ignored] = ()
    _by_name: Mapping[str, Field] | None = field(default=None, init=False, repr=False)
    _special: Sequence[Field] | None = field(default=None, init=False, repr=False)
    _numbers: Mapping[str, int] | None = field(default=None, init=False, repr=False)

    def __repr__(self) -> str:
        return f"<{self.label}>"

    @property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by their names, once they are all there."""
        if self._by_name is None:
            self._by_name = {each.name: each for each in self.fields}
        return self._by_name

    @property
    def numbers(self) -> Mapping[str, int]:
        """The number of each symbol, once they are all there: an enum may have thousands, and be referred to as often."""
        if self._numbers is None:
            self._numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        return self._numbers

    @property
    def special(self) -> Sequence[Field]:
        """The fields with more than a name and a type, once they are all there: aliases, a default, a constraint, or something ignored."""
        if self._special is None:
            self._special = [
                each
                for each in self.fields
                if each.aliases or each.constraint or each.ignored or each.default is not MISSING
            ]
        return self._special

    @property
    def label(self) -> str:
        """How messages call this type: `record ticket.Item`, `decimal(9, 2)`, `array of long`."""
        if self.kind == "union":
            return f"union [{listed(self.branches, lambda branch: branch.label)}]"
        if self.items is not None:
            return f"{self.kind} of {self.items.label}"
        if self.logical == "decimal":
            return f"decimal({self.precision}, {self.scale})"
        return self.logical or (f"{self.kind} {self.name}" if self.name else self.kind)


def load(schema: Any) -> Type:
    """Return the type graph of a schema in its JSON form.

    The schema is expected to have passed `stamp.schema.lint`; what would make no sense at all raises SchemaError.
    """
    loader = _Loader()
    root = loader.type(schema, "")
    for each, said in loader.said:  # recursive types are whole only now
        each.ignored = (*each.ignored, *of_field(said, each.type))
    return root


@dataclass(slots=True)
class _Loader:
    names: dict[str, Type] = field(default_factory=dict)
    said: list[tuple[Field, Mapping[str, Any]]] = field(default_factory=list)

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
        loaded.size = node.get("size", 0) if kind == "fixed" else 0
        _annotate(loaded, node)
        if kind == "enum":
            loaded.symbols, loaded.default = tuple(node["symbols"]), node.get("default")
        elif kind != "fixed":
            loaded.fields = tuple(self._field(each, inner) for each in node["fields"])
            said = _said(node)
            loaded.validator = str(said.get("validator", ""))
        return loaded

    def _field(self, node: Mapping[str, Any], namespace: str) -> Field:
        field = Field(node["name"], self.type(node["type"], namespace), node.get("default", MISSING))
        if "aliases" in node:
            field.aliases = tuple(dict.fromkeys(node["aliases"]))
        if said := _said(node):
            field.constraint = constraint(said)
            self.said.append((field, said))
        field.ignored = (*_unsaid(node), *_logical(misplaced(node)))
        return field


def _annotate(loaded: Type, node: Mapping[str, Any]) -> None:
    if ATTRIBUTE in node:
        own = of_record(_said(node)) if loaded.kind == "record" else of_type(node)
        loaded.ignored = (*_unsaid(node), *own)
    if "logicalType" not in node:
        return
    wrong = flaw(node)
    loaded.ignored = (*_logical(wrong), *loaded.ignored)
    if not wrong and node["logicalType"] in LOGICAL:
        loaded.logical = node["logicalType"]
        if loaded.logical == "decimal":
            loaded.precision, loaded.scale = node["precision"], node.get("scale", 0)


def _logical(wrong: str) -> Sequence[Ignored]:
    """Return what is ignored of a logical type with which something is wrong."""
    return (Ignored("logicalType", wrong),) if wrong else ()


def _said(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a record or field says under `stamp`; nothing where that is no object: then it is somebody else's."""
    said = node.get(ATTRIBUTE)
    return said if isinstance(said, dict) else {}


def _unsaid(node: Mapping[str, Any]) -> Sequence[Ignored]:
    """Return what stands under `stamp` and is no object."""
    if isinstance(node.get(ATTRIBUTE, {}), dict):
        return ()
    return (Ignored(ATTRIBUTE, f"expected an object under {ATTRIBUTE}, got {shown(node[ATTRIBUTE])}"),)

"""Writes schemas by somebody's choices: the same for a random generator, that is fast, and for hypothesis, that makes examples small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from stamp.schema.names import namespace_of
from stamp.schema.types import MISSING
from stamp.testing.outline import Outline

__all__ = ["Author", "Choose", "names_in"]

Choose: TypeAlias = Callable[[Sequence[Any]], Any]
"""Chooses one of several things. What comes first is the simplest."""


class Author:
    """Writes types into an outline. All names are new: `taken` are those that others have.

    What it writes is legal: data end, arrays have items with bytes, unions have one branch of each kind, defaults fit.
    """

    def __init__(
        self, choose: Choose, outline: Outline, *, taken: set[str] | None = None, recursion: bool = False
    ) -> None:
        self._choose = choose
        self._outline = outline
        self._taken = set() if taken is None else taken
        self._recursion = recursion
        self._around: list[str] = []
        used = {namespace_of(each["name"]) for each in outline.types.values()}
        self.namespaces: Sequence[str] = sorted(used) or choose(_NAMESPACES)

    def fresh(self, stem: str) -> str:
        """Return a name that nothing else has."""
        number = 1
        while f"{stem}{number}" in self._taken:
            number += 1
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"

    def type(self, depth: int) -> Any:
        """Return some type, at most `depth` levels deep."""
        return self._choose(_DEEP if depth > 0 else _SHALLOW)(self, depth - 1)

    def branch(self, depth: int) -> Any:
        """Return some type that may be a branch of a union."""
        return self._choose(_DEEP_BRANCHES if depth > 0 else _SHALLOW_BRANCHES)(self, depth - 1)

    def leaf(self, _: int) -> Any:
        """Return a type without parts or name."""
        found = self._choose(_LEAVES)
        return dict(found) if isinstance(found, dict) else found

    def reference(self, depth: int) -> Any:
        """Return the name of a type that there is; that of one around this place in something that can end without it."""
        usable = [each for each in self._outline.types if self._recursion or each not in self._around]
        if not usable:
            return self.leaf(depth)
        name = self._choose(usable)
        if name in self._around:
            return self._choose(
                (["null", name], {"type": "array", "items": name}, {"type": "map", "values": name}, [name, "null"])
            )
        return name

    def record(self, depth: int) -> str:
        """Return the name of a new record."""
        name, node = self._named("R", {"type": "record", "fields": []})
        self._around.append(name)
        for _ in range(self._choose((1, 2, 3))):
            node["fields"].append(self.field(depth, first=not node["fields"]))
        self._around.pop()
        return name

    def field(self, depth: int, *, first: bool = False) -> dict[str, Any]:
        """Return a new field; the `first` of a record takes bytes, so that arrays may have such records as items."""
        type_ = self.type(depth)
        field: dict[str, Any] = {"name": self.fresh("f"), "type": "int" if first and type_ == "null" else type_}
        default = self.default(field["type"]) if self._choose((False, False, True)) else MISSING
        more = {} if default is MISSING else {"default": default}
        aliases = {"aliases": [self.fresh("old")]} if self._choose((False,) * 5 + (True,)) else {}
        return field | more | aliases

    def enum(self, _: int) -> str:
        """Return the name of a new enum."""
        symbols = [self.fresh("S") for _ in range(self._choose((3, 1, 2)))]
        default = {"default": symbols[0]} if self._choose((False, False, True)) else {}
        return self._named("E", {"type": "enum", "symbols": symbols, **default})[0]

    def fixed(self, _: int) -> str:
        """Return the name of a new fixed."""
        return self._named("F", {"type": "fixed", **self._choose(_FIXED)})[0]

    def array(self, depth: int) -> Any:
        """Return an array of something that takes bytes."""
        items = self.type(depth)
        return {"type": "array", "items": "int" if items == "null" else items}

    def map(self, depth: int) -> Any:
        """Return a map."""
        return {"type": "map", "values": self.type(depth)}

    def union(self, depth: int) -> Any:
        """Return a union, in most cases one with null."""
        branches = {"null": "null"} if self._choose((True, True, False)) else {}
        for _ in range(self._choose((1, 2, 3))):
            branch = self.branch(depth)
            branches.setdefault(branch if isinstance(branch, str) else branch["type"], branch)
        if "null" in branches and self._recursion and self._around and self._choose((False, True)):
            branches[self._around[0]] = self._around[0]
        ordered = list(branches.values())
        return self._choose((ordered, ordered[::-1]))

    def default(self, node: Any, around: frozenset[str] = frozenset()) -> Any:
        """Return the JSON of a default for a type; `MISSING` when it has none that is short."""
        if isinstance(node, list):
            return self.default(node[0], around)
        if isinstance(node, str) and node in self._outline.types:
            return self._named_default(node, around)
        kind = node if isinstance(node, str) else node.get("logicalType", node["type"])
        return self._choose(_DEFAULTS[kind if kind in _DEFAULTS else node["type"]])

    def _named_default(self, name: str, around: frozenset[str]) -> Any:
        node = self._outline.types[name]
        if node["type"] == "enum":
            return node["symbols"][0]
        if node["type"] == "fixed":
            return "\0" * node["size"]
        if name in around or name in self._around:
            return MISSING
        fields = {each["name"]: self.default(each["type"], around | {name}) for each in node["fields"]}
        return MISSING if MISSING in fields.values() else fields

    def _named(self, stem: str, node: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        namespace = self._choose(self.namespaces)
        prefix = namespace + "." * bool(namespace)
        name = prefix + self.fresh(stem)
        aliases = {"aliases": [prefix + self.fresh("Old")]} if self._choose((False,) * 5 + (True,)) else {}
        self._outline.types[name] = written = {**node, "name": name, **aliases}
        return name, written


_SHALLOW: Final = (Author.leaf, Author.leaf, Author.enum, Author.fixed, Author.reference)
_SHALLOW_BRANCHES: Final = (Author.leaf, Author.leaf, Author.enum, Author.fixed)
_DEEP_BRANCHES: Final = (*_SHALLOW_BRANCHES, Author.record, Author.record, Author.array, Author.map)
_DEEP: Final = (*_DEEP_BRANCHES, Author.reference, Author.union, Author.union, Author.record)

_NAMESPACES: Final = (("",), ("a",), ("a", "a.b", "c"))
"""No schema has types with and types without a namespace: the latter cannot be referred to from inside the former."""

_LEAVES: Final[Sequence[Any]] = (
    *("int", "string", "null", "boolean", "long", "float", "double", "bytes"),
    *({"type": "int", "logicalType": logical} for logical in ("date", "time-millis")),
    *(
        {"type": "long", "logicalType": logical}
        for logical in (
            *("time-micros", "timestamp-millis", "timestamp-micros", "timestamp-nanos"),
            *("local-timestamp-millis", "local-timestamp-micros", "timedelta-micros"),
        )
    ),
    *({"type": "bytes", "logicalType": "decimal", "precision": p, "scale": s} for p, s in ((9, 2), (11, 4), (30, 0))),
    {"type": "bytes", "logicalType": "big-decimal"},
    {"type": "string", "logicalType": "uuid"},
)

_FIXED: Final[Sequence[Mapping[str, Any]]] = (
    *({"size": 2}, {"size": 4}),
    {"size": 16, "logicalType": "uuid"},
    {"size": 12, "logicalType": "duration"},
    *({"size": size, "logicalType": "decimal", "precision": 9, "scale": 2} for size in (4, 6, 16)),
)

_DEFAULTS: Final[Mapping[str, Sequence[Any]]] = {
    "null": (None,),
    "boolean": (False, True),
    "int": (0, 7),
    "long": (0, 7),
    "float": (0.5, 1),
    "double": (0.5, 1),
    "bytes": ("", "\xff"),
    "string": ("", "x"),
    "array": ([],),
    "map": ({},),
    "decimal": ("\1",),
    "big-decimal": ("\2\0\0",),
    "uuid": ("00000000-0000-4000-8000-000000000001",),
}
"""By logical type, or else by kind: numbers from 0 on are in the range of every time."""


def names_in(document: Any) -> Iterator[str]:
    """Yield every text in a JSON document, and the last part of each dotted one: all that may be a name."""
    if isinstance(document, str):
        yield from (document, document.rpartition(".")[2])
    elif isinstance(document, list):
        for each in document:
            yield from names_in(each)
    elif isinstance(document, dict):
        for key, each in document.items():
            yield key
            yield from names_in(each)

"""Marks: texts that are equal when two types are, so that a check need not walk into what has not changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from sys import intern
from typing import Final, NamedTuple

from stamp.schema.names import PRIMITIVES
from stamp.schema.types import MISSING, Field, Type

__all__ = ["mark"]


def mark(root: Type) -> None:
    """Give the types in `root` their marks; types inside a recursive one, that cannot be told without it, get none.

    Law: what has the same mark is read whole, and no rule has anything to say of it, whatever stands around it. So what is in part
    ignored gets none.
    """
    _Marker().described(root)


class _Description(NamedTuple):
    """All that a type is, in words; `needs` are the names of types around it that the words refer to."""

    text: str
    needs: frozenset[str] = frozenset()


class _Marker:
    def __init__(self) -> None:
        self._known: dict[Type, _Description] = {}

    def described(self, type_: Type) -> _Description:
        if type_.kind in PRIMITIVES:
            type_.mark = "" if type_.ignored else intern(_text(type_, ()))
            return _Description(_text(type_, ()), _IGNORED if type_.ignored else frozenset())
        if type_ in self._known:
            return self._known[type_]
        if type_.name:
            self._known[type_] = _Description(type_.name, frozenset({type_.name}))
        parts = [self.described(part) for part in _parts(type_)]
        text = _text(type_, [part.text for part in parts])
        needs = frozenset(need for part in parts for need in part.needs if need != type_.name)
        needs |= _IGNORED if type_.ignored or any(field.ignored for field in type_.fields) else frozenset()
        if not needs:
            type_.mark = intern(text if len(text) < _LONG else f"{type_.kind} {sha256(text.encode()).hexdigest()}")
            text = type_.mark
        self._known[type_] = _Description(type_.name, needs) if needs and type_.name else _Description(text, needs)
        return _Description(text, needs)


_LONG: Final = 80

_IGNORED: Final = frozenset({"(ignored)"})  # no legal name
"""What a type needs of which something is ignored: a rule has to say so, so it gets no mark, and nothing around it does."""


def _parts(type_: Type) -> list[Type]:
    fields = [field.type for field in type_.fields]
    return [*type_.branches, *fields, *([type_.items] if type_.items is not None else [])]


def _text(type_: Type, parts: Sequence[str]) -> str:
    if type_.kind == "union":
        return f"[{','.join(parts)}]"
    if type_.items is not None:
        return f"{type_.kind}<{parts[0]}>"
    logical = f" {type_.logical}({type_.precision},{type_.scale})" if type_.logical else ""
    if not type_.name:
        return type_.kind + logical
    own = (type_.name, type_.size, logical, sorted(type_.aliases), type_.symbols, type_.default)
    fields = ";".join(map(_field, type_.fields, parts))
    return f"{type_.kind} {own}{{{fields}}}"


def _field(field: Field, text: str) -> str:
    default = "" if field.default is MISSING else json.dumps(field.default, sort_keys=True)
    constraint = field.constraint.text if field.constraint else ""
    return f"{field.name}{field.aliases}:{text}={default}{constraint}"

"""Marks: texts that are equal when two types are, so that a check need not walk into what has not changed."""

from __future__ import annotations

import json
from sys import intern

from stamp.schema.types import MISSING, Field, Type

__all__ = ["mark"]


def mark(root: Type) -> None:
    """Give `root` and every type in it its mark.

    Law: what has the same mark is read whole, and no rule has anything to say of it, whatever stands around it.
    """
    waiting, seen = [root], {root}
    while waiting:
        type_ = waiting.pop()
        type_.mark = intern(_text(type_, set()))
        parts = [*type_.branches, *(field.type for field in type_.fields), *([type_.items] if type_.items else [])]
        waiting += [part for part in parts if part not in seen]
        seen.update(parts)


def _text(type_: Type, around: set[str]) -> str:
    """Return all that a type is; of a named type in the second place where it stands only the name."""
    if type_.kind == "union":
        return f"[{','.join(_text(branch, around) for branch in type_.branches)}]"
    if type_.items is not None:
        return f"{type_.kind}<{_text(type_.items, around)}>"
    logical = f"{type_.logical}({type_.precision},{type_.scale})" if type_.logical else ""
    if not type_.name:
        return type_.kind + logical
    if type_.name in around:
        return type_.name
    around.add(type_.name)
    own = (type_.size, logical, sorted(type_.aliases), type_.symbols, type_.default)
    return f"{type_.kind} {type_.name}{own}{{{';'.join(_field(field, around) for field in type_.fields)}}}"


def _field(field: Field, around: set[str]) -> str:
    default = "" if field.default is MISSING else json.dumps(field.default, sort_keys=True)
    return f"{field.name}{field.aliases}:{_text(field.type, around)}={default}"

"""A view that reads a writer schema beside what it reads already: what a tolerant reader does while both are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stamp.compat import Source
from stamp.compat.renaming import former_names, namesakes
from stamp.schema.constraint import ATTRIBUTE
from stamp.schema.names import unqualified
from stamp.schema.resolve import PROMOTIONS, WIDENINGS

__all__ = ["Tolerance"]

Schema = Any

DEFAULT: Final = "a default for what is missing"
NULL: Final = "null besides"
UNION: Final = "a union of both types"
SYMBOLS: Final = "the symbols of both"
DIGITS: Final = "the digits of both"
BOUNDS: Final = "the bounds of both"
MEANS: Final = (DEFAULT, NULL, UNION, SYMBOLS, DIGITS, BOUNDS)
"""By what a view can be made to read one thing more, in the order in which they are told; after those that name something."""


class Tolerance:
    """Makes views read more. `versions` are all that there are of what is written: they tell which field may be another one renamed."""

    def __init__(self, versions: Sequence[Source] = ()) -> None:
        self._versions = versions
        self._used: set[str] = set()
        self._named: dict[str, None] = {}

    @property
    def means(self) -> tuple[str, ...]:
        """By what views have been made to read more so far, for a sentence."""
        return (*self._named, *(each for each in MEANS if each in self._used))

    def of(self, view: Schema, written: Schema) -> Schema:
        """Return a schema that reads what `view` reads, and of `written` the same fields. Where it cannot be, it is no better than `view`."""
        if isinstance(view, list) or isinstance(written, list):
            return self._of_unions(view, written)
        match _kind(view), _kind(written):
            case "record", "record":
                return view | {"fields": [self._field(each, view, written) for each in view["fields"]]}
            case "enum", "enum":
                return self._enum(view, written)
            case "array", "array":
                return view | {"items": self.of(view["items"], written["items"])}
            case "map", "map":
                return view | {"values": self.of(view["values"], written["values"])}
        return self._plain(view, written)

    def _field(self, field: Schema, view: Schema, written: Schema) -> Schema:
        names = (field["name"], *field.get("aliases", ()))
        source = next((each for name in names for each in written["fields"] if each["name"] == name), None)
        if source is not None:
            changed = {**field, "type": self.of(field["type"], source["type"])}
            return self._wide(changed) if _narrowing(field) != _narrowing(source) else changed
        if "default" in field:
            return field
        former = self._former(field, view, written)
        return self._optional(field, view, written) if former is None else self._aliased(field, former)

    def _former(self, field: Schema, view: Schema, written: Schema) -> str | None:
        """Return the field of the writer that this one seems to be, renamed: of a type that is read as it is."""
        types = {each["name"]: each["type"] for each in written["fields"]}
        for name in former_names(field, view, written, self._versions):
            trial = Tolerance(self._versions)
            if trial.of(field["type"], types[name]) == field["type"] and not trial.means:
                return name
        return None

    def _aliased(self, field: Schema, name: str) -> Schema:
        self._named[f"the alias {name} for {field['name']}, if that is {name} renamed"] = None
        return {**field, "aliases": [*field.get("aliases", ()), name]}

    def _optional(self, field: Schema, view: Schema, written: Schema) -> Schema:
        name, lost = field["name"], namesakes(field, view, written, self._versions)
        if lost:
            caveat = f"but if {' or '.join(lost)} is {name} renamed, that alias: a default would lose its value"
            self._named[f"{DEFAULT}, {caveat}"] = None
        else:
            self._used.add(DEFAULT)
        others = [each for each in _branches(field["type"]) if each != "null"]
        return {**field, "type": ["null", *others], "default": None}

    def _enum(self, view: Mapping[str, Any], written: Mapping[str, Any]) -> Schema:
        missing = [each for each in written["symbols"] if each not in view["symbols"]]
        if not missing or "default" in view:
            return view
        self._used.add(SYMBOLS)
        return {**view, "symbols": [*view["symbols"], *missing]}

    def _of_unions(self, view: Schema, written: Schema) -> Schema:
        branches = list(_branches(view))
        for each in _branches(written):
            number = next((at for at, branch in enumerate(branches) if _is_alike(branch, each)), None)
            if number is not None:
                branches[number] = self.of(branches[number], each)
            elif not any(_promotes(each, branch) for branch in branches):
                self._used.add(NULL if each == "null" else UNION)
                branches.append(each)
        return branches if len(branches) > 1 else branches[0]

    def _plain(self, view: Schema, written: Schema) -> Schema:
        if not _is_alike(view, written):
            if _promotes(written, view):
                return view
            if _promotes(view, written):
                return self._wider(view, written)
            self._used.add(UNION)
            return [view, written]
        if _logical(view) == "decimal" and (_digits(view) != _digits(written)):
            self._used.add(DIGITS)
            scale = max(_digits(view)[1], _digits(written)[1])
            return {**view, "scale": scale, "precision": scale + max(map(_whole, (view, written)))}
        return self._wide(view) if _narrowing(view) != _narrowing(written) else view

    def _wider(self, view: Schema, written: Schema) -> Schema:
        view_kind, kind = _kind(view), _kind(written)
        rounding = "" if (view_kind, kind) in WIDENINGS else ", which rounds large integers"
        self._named[f"{kind} instead of {view_kind}{rounding}"] = None
        return written

    def _wide(self, of: Schema) -> Schema:
        """Return a type or a field without the values that it is narrowed to."""
        if _narrowing(of) is None:
            return of
        self._used.add(BOUNDS)
        return {key: value for key, value in of.items() if key != ATTRIBUTE}


def _branches(type_: Schema) -> list[Schema]:
    return type_ if isinstance(type_, list) else [type_]


def _kind(type_: Schema) -> str:
    return str(type_["type"] if isinstance(type_, dict) else type_)


def _logical(type_: Schema) -> str:
    return str(type_.get("logicalType", "")) if isinstance(type_, dict) else ""


def _narrowing(of: Schema) -> Any:
    return of.get(ATTRIBUTE) if isinstance(of, dict) else None


def _is_alike(one: Schema, other: Schema) -> bool:
    """Tell whether two types can be made one: they are of one kind, and have names that are the same where they have some."""
    if _kind(one) != _kind(other) or _logical(one) != _logical(other):
        return False
    return _name(one) == _name(other)


def _name(type_: Schema) -> str:
    return unqualified(type_["name"]) if isinstance(type_, dict) and "name" in type_ else ""


def _promotes(written: Schema, read: Schema) -> bool:
    return not _logical(written) and not _logical(read) and _kind(read) in PROMOTIONS.get(_kind(written), ())


def _digits(type_: Mapping[str, Any]) -> tuple[int, int]:
    return type_["precision"], type_.get("scale", 0)


def _whole(type_: Mapping[str, Any]) -> int:
    precision, scale = _digits(type_)
    return precision - scale

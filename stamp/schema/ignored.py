"""What of a schema counts for nothing, though it was meant to: words under `stamp` that say nothing where they stand.

Such a word is passed over, never refused: a later version may know it, and a released schema stays as it is. But its author counts on
it, so a check tells it, with the word that is nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from stamp.schema.constraint import ATTRIBUTE, LISTS, is_optional
from stamp.schema.document import pointed, shown

__all__ = ["Ignored", "of_field", "of_record", "of_type"]


class Ignored(NamedTuple):
    """What counts for nothing: where it stands, as a JSON pointer without its first slash, and what was expected instead.

    Of a word that nobody here knows, also that `word`, and the words that are about its place.
    """

    at: str
    expected: str
    word: str = ""
    known: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What was expected, with the known word that is nearest: looking for it takes time, so it is done when it is told."""
        near = _nearest(self.word, self.known) or _nearest(self.word, (*_BY_WORD, VALIDATOR)) if self.word else None
        return f"{self.expected}: did you mean {near}?" if near else self.expected


class _Type(Protocol):
    """As much of a `stamp.schema.types.Type` as is needed here."""

    @property
    def kind(self) -> str: ...
    @property
    def logical(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def branches(self) -> Sequence[Any]: ...
    @property
    def fields(self) -> Sequence[Any]: ...
    @property
    def items(self) -> Any: ...


class _About(NamedTuple):
    """What some words are about."""

    words: tuple[str, ...]
    what: str
    holds: Callable[[_Type], bool]


def _is_measured(type_: _Type) -> bool:
    if type_.logical == "decimal":
        return True
    return type_.kind in {"int", "long", "float", "double"} or (type_.kind == "string" and not type_.logical)


def _is(*kinds: str) -> Callable[[_Type], bool]:
    return lambda type_: type_.kind in kinds


_ABOUT: Final = (
    _About(
        ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "finite"),
        "numbers, dates and times",
        _is_measured,
    ),
    _About(("minLength", "maxLength"), "texts and bytes", _is("string", "bytes", "fixed", "enum")),
    _About(("pattern", "format", "schemes"), "texts", _is("string", "enum")),
    _About(("maxDigits", "decimalPlaces"), "decimals in text", _is("string")),
    _About(
        ("enum",),
        "values without parts",
        _is("boolean", "int", "long", "float", "double", "string", "bytes", "fixed", "enum"),
    ),
    _About(("minItems", "maxItems", "uniqueItems", "items"), "arrays", _is("array")),
    _About(("minProperties", "maxProperties", "additionalProperties", "propertyNames"), "maps", _is("map")),
    _About(("prefixItems",), "records", _is("record")),
    _About(("anyOf",), "unions of several types beside null", _is("union")),
)
_BY_WORD: Final[Mapping[str, _About]] = {word: about for about in _ABOUT for word in about.words}

VALIDATOR: Final = "validator"
"""The word that is about anything."""

PRIVATE: Final = "x-"
"""What the words of others begin with, which mean something to them alone."""

_MEANT: Final[Mapping[str, str]] = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "const": "enum",
    "oneOf": "anyOf",
    "values": "additionalProperties",
    "keys": "propertyNames",
}
"""What others call the words."""

_LONGEST: Final = 2 * max(map(len, _BY_WORD))
"""A word of more characters is near none; whoever wrote it does not decide how long the comparison takes."""


MAX_TOLD: Final = 20
"""How many words of one `stamp` are told; more are counted."""


def of_type(node: Mapping[str, Any]) -> Sequence[Ignored]:
    """Return what is under `stamp` in a type that is no record: all of it, for constraints stand beside the type of a field."""
    said = node.get(ATTRIBUTE)
    where = f"expected {ATTRIBUTE} beside the type of a field, where it counts"
    words = [word for word in said if not word.startswith(PRIVATE)] if isinstance(said, dict) else []
    return _few(
        Ignored(_pointer(ATTRIBUTE, word), f"{where}, got {shown(word)} inside the type {node['type']}")
        for word in words
    )


def of_record(said: Mapping[str, Any]) -> Sequence[Ignored]:
    """Return what a record says under `stamp` that is nothing about a record."""
    return _few(_of_record(_pointer(ATTRIBUTE, word), word) for word in said if not _counts_anywhere(word))


def _of_record(at: str, word: str) -> Ignored:
    if word not in _BY_WORD:
        return _unknown(at, word, (VALIDATOR,))
    return Ignored(at, f"expected {word} under {ATTRIBUTE} of a field, where it counts, got it under that of a record")


def of_field(said: Mapping[str, Any], type_: _Type) -> Sequence[Ignored]:
    """Return what a field says under `stamp` that is nothing about its type, which is loaded whole."""
    return _few(_words(said, type_, ATTRIBUTE))


def _counts_anywhere(word: str) -> bool:
    return word == VALIDATOR or word.startswith(PRIVATE)


def _few(found: Iterable[Ignored]) -> Sequence[Ignored]:
    """Return what is found, the last of many with how many more there are."""
    found = tuple(found)
    if len(found) <= MAX_TOLD:
        return found
    last = found[MAX_TOLD - 1]
    more = len(found) - MAX_TOLD
    return (
        *found[: MAX_TOLD - 1],
        Ignored(last.at, f"{last.expected} (and {more:,} more words that count for nothing)"),
    )


def _words(said: Mapping[str, Any], type_: _Type, at: str) -> Iterator[Ignored]:
    if type_.kind == "union" and is_optional(type_):
        type_ = next(each for each in type_.branches if each.kind != "null")
    for word, value in said.items():
        place = _pointer(at, word)
        if _counts_anywhere(word):
            continue
        if word not in _BY_WORD:
            yield _unknown(place, word, tuple(each for about in _ABOUT if about.holds(type_) for each in about.words))
        elif _BY_WORD[word].holds(type_):
            yield from _inside(word, value, type_, place)
        else:
            yield Ignored(place, _misplaced(word, type_))


def _inside(word: str, value: Any, type_: _Type, at: str) -> Iterator[Ignored]:
    if word not in _PARTS:
        return
    if word not in LISTS:
        yield from _words(value, _PARTS[word](type_), at)
        return
    parts: Sequence[_Type] = _PARTS[word](type_)
    for number, (each, part) in enumerate(zip(value, parts, strict=False)):
        yield from _words(each, part, _pointer(at, str(number)))
    for number, each in enumerate(value[len(parts) :], len(parts)):
        if each:
            text = (
                f"expected {word} of at most {len(parts)} constraints, as many as {type_.label} has parts, got one more"
            )
            yield Ignored(_pointer(at, str(number)), text)


class _Text:
    kind, logical, label = "string", "", "string"
    branches: Sequence[Any] = ()
    fields: Sequence[Any] = ()
    items = None


_PARTS: Final[Mapping[str, Callable[[_Type], Any]]] = {
    "items": lambda type_: type_.items,
    "additionalProperties": lambda type_: type_.items,
    "propertyNames": lambda _: _Text(),
    "prefixItems": lambda type_: [each.type for each in type_.fields],
    "anyOf": lambda type_: type_.branches,
}
"""What is in a type that a word about its parts is about."""


def _misplaced(word: str, type_: _Type) -> str:
    if type_.kind == "union":
        return f"expected anyOf, with one constraint for each branch of {type_.label}, got {word} beside it"
    return f"expected a constraint about {type_.label}, got {word}, which is about {_BY_WORD[word].what}"


def _unknown(at: str, word: str, known: tuple[str, ...]) -> Ignored:
    return Ignored(at, f"expected a word of a constraint, got {shown(word)}", word, known)


@lru_cache(maxsize=1024)
def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    by_case = {each.lower(): each for each in known}
    if (meant := _MEANT.get(word, "").lower()) in by_case:
        return by_case[meant]
    near = get_close_matches(word.lower(), by_case, n=1) if len(word) <= _LONGEST else []
    return by_case[near[0]] if near else None


def _pointer(at: str, word: str) -> str:
    return f"{at}/{pointed(word)}"

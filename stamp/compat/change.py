"""What could help against a finding, by its rule: changes of the reader, not yet tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from stamp.compat.finding import Finding
from stamp.compat.renaming import former_names, namesakes
from stamp.compat.source import Source
from stamp.compat.wording import demanded
from stamp.schema.constraint import PARTS, WORDS
from stamp.schema.names import listed, unqualified
from stamp.schema.resolve import PROMOTIONS, lost_symbols
from stamp.schema.types import Type

__all__ = ["Change", "changes"]


class Change(NamedTuple):
    """A change of the reader's schema: `value` instead of what stands at `pointer` in it, or one of `others`, which do the same."""

    text: str
    pointer: str
    value: Any
    others: tuple[Any, ...] = ()


def changes(finding: Finding, reader: Source, writer: Source, others: Sequence[Source] = ()) -> Iterator[Change]:
    """Yield what could make `finding` go away, the best first. `others` are other versions of what the writer writes."""
    if finding.rule in _CHANGES and finding.reader is not None and finding.writer is not None:
        spot = _Spot(reader, finding.reader.pointer, writer, finding.writer.pointer, others)
        yield from _CHANGES[finding.rule](spot)


class _Spot(NamedTuple):
    """Where a finding is in both documents: at a type, or at something that a type has."""

    reader: Source
    at: str
    writer: Source
    written_at: str
    others: Sequence[Source] = ()

    def types(self) -> tuple[str, Any, Type, Type]:
        """Return where the reader's type is, its JSON, itself, and the writer's type."""
        at, wanted = self.reader.type_around(self.at)
        _, written = self.writer.type_around(self.written_at)
        return at, self.reader.value(at), wanted, written


def _missing_field(spot: _Spot) -> Iterator[Change]:
    field, record = spot.reader.value(spot.at), spot.reader.value(spot.at.rpartition("/fields/")[0])
    written = spot.writer.value(spot.written_at)
    old, aliases = field["name"], field.get("aliases", [])
    for name in former_names(field, record, written, spot.others):
        text = (
            f"if {name} is {old} renamed: rename {old} to {name}, with the alias {old}, or give {old} the alias {name}"
        )
        renamed = field | {"name": name, "aliases": [*aliases, old]}
        yield Change(text, spot.at, field | {"aliases": [*aliases, name]}, (renamed,))
    yield from _defaults(field, spot.at, namesakes(field, record, written, spot.others))


def _defaults(field: dict[str, Any], at: str, lost: Sequence[str]) -> Iterator[Change]:
    """Offer a default. Where the value may be there, in one of the fields `lost`, it would be passed over in silence."""
    type_, name = field["type"], field["name"]
    kind = type_.get("type") if isinstance(type_, dict) else type_
    caveat = (
        f"; but if {' or '.join(lost)} is {name} renamed, give it that alias instead, or its value is lost"
        if lost
        else ""
    )
    if isinstance(kind, str) and kind in _EMPTY:
        text = f"give {name} the default {json.dumps(_EMPTY[kind])}{caveat}"
        yield Change(text, at, field | {"default": _EMPTY[kind]})
        return
    branches = type_ if isinstance(type_, list) else [type_]
    text = f"give {name} the default null" if "null" in branches else f"make {name} optional, with the default null"
    text += f", which is read instead{caveat}"
    optional = ["null", *(branch for branch in branches if branch != "null")]
    yield Change(text, at, field | {"type": optional, "default": None})


_EMPTY: Final[Mapping[str, Any]] = {"array": [], "map": {}, "null": None}


def _name(spot: _Spot) -> Iterator[Change]:
    at, node, wanted, written = spot.types()
    if not any(any(other.called(wanted.name)) and any(other.called(written.name)) for other in spot.others):
        text = f"if {node['name']} is {written.name} renamed: give it the alias {written.name}"
        yield Change(text, at, node | {"aliases": [*node.get("aliases", ()), written.name]})
    yield Change(f"call it {unqualified(written.name)}", at, node | {"name": unqualified(written.name)})


def _symbols(spot: _Spot) -> Iterator[Change]:
    at, node, wanted, written = spot.types()
    for symbol in (each for each in wanted.symbols if each in _UNKNOWN):
        yield Change(f"make {symbol} the default of {wanted.name}", at, node | {"default": symbol})
    lost = lost_symbols(written, wanted)
    yield Change(f"add {listed(lost)} to {wanted.name}", at, node | {"symbols": [*wanted.symbols, *lost]})


_UNKNOWN: Final = frozenset({"UNKNOWN", "UNSPECIFIED", "UNDEFINED", "UNRECOGNIZED", "OTHER", "unknown", "other"})
"""Symbols that are made for being the default."""


def _type(spot: _Spot) -> Iterator[Change]:
    at, node, wanted, written = spot.types()
    if written.kind == "null":
        yield Change("give it a null branch", at, ["null", node])
        yield Change("give it a null branch", at, [node, "null"])  # where its default is one of the first branch
    elif _is_wider(written, wanted):
        yield Change(f"read it as {written.kind}", at, written.kind)


def _is_wider(written: Type, wanted: Type) -> bool:
    is_plain = not written.logical and not wanted.logical
    return is_plain and written.kind in PROMOTIONS.get(wanted.kind, ())


def _branch(spot: _Spot) -> Iterator[Change]:
    at, node, wanted, written = spot.types()
    if written.name or written.items is not None or written.logical:
        return
    for number, branch in enumerate(wanted.branches):
        if _is_wider(written, branch):
            text = f"read {branch.kind} as {written.kind}"
            yield Change(text, at, [*node[:number], written.kind, *node[number + 1 :]])
    yield Change(f"add {written.kind} to the union", at, [*node, written.kind])


def _decimal(spot: _Spot) -> Iterator[Change]:
    at, node, wanted, written = spot.types()
    scale = max(wanted.scale, written.scale)
    precision = scale + max(wanted.precision - wanted.scale, written.precision - written.scale)
    yield Change(f"make it decimal({precision}, {scale})", at, node | {"precision": precision, "scale": scale})


def _as_written(spot: _Spot) -> Iterator[Change]:
    at, _, wanted, written = spot.types()
    if not written.name and not wanted.name:
        written_as = spot.writer.value(spot.writer.pointer(written))
        yield Change(f"read it as {written.label}", at, written_as)


def _as_text(spot: _Spot) -> Iterator[Change]:
    at, _, wanted, written = spot.types()
    if written.kind == wanted.kind == "string":
        yield Change("read it as a string", at, "string")


def _without_default(spot: _Spot) -> Iterator[Change]:
    at = spot.at.rpartition("/")[0]
    field = {key: value for key, value in spot.reader.value(at).items() if key != "default"}
    yield Change(f"leave out the default of {field['name']} for as long as the old name is written", at, field)


def _as_demanded(spot: _Spot) -> Iterator[Change]:
    """Offer what the writer says instead of a word of the reader's constraint; or nothing, where it says nothing."""
    at, _, word = spot.at.rpartition("/")
    said = dict(spot.reader.value(at))
    before = said.pop(word)
    if word == "enum" and spot.written_at.endswith("/enum"):
        others = [each for each in spot.writer.value(spot.written_at) if each not in before]
        yield Change(f"take {', '.join(map(json.dumps, others))} too", at, said | {word: sorted([*before, *others])})
    elif spot.written_at.endswith(f"/{word}"):
        written = spot.writer.value(spot.written_at)
        yield Change(f"take {demanded(word, written)}", at, said | {word: written})
    yield Change(f"do not demand {demanded(word, before)}", at, said)
    others = [each for each in said if each in WORDS and each not in PARTS]
    demands = " and ".join(demanded(each, {**said, word: before}[each]) for each in (word, *others))
    yield Change(f"do not demand {demands}", at, {each: value for each, value in said.items() if each not in others})


_CHANGES: Final[Mapping[str, Callable[[_Spot], Iterator[Change]]]] = {
    "reader-field-missing-default-value": _missing_field,
    "name-mismatch": _name,
    "missing-enum-symbols": _symbols,
    "type-mismatch": _type,
    "missing-union-branch": _branch,
    "decimal-narrowed": _decimal,
    "time-unit-narrowed": _as_written,
    "lossy-promotion": _as_written,
    "logical-type-removed": _as_written,
    "alias-with-default": _without_default,
    "text-read-as-uuid": _as_text,
    **dict.fromkeys(("values-narrowed", "range-narrowed", "length-narrowed", "format-narrowed"), _as_demanded),
}

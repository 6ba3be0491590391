"""Strategies of hypothesis: Avro schemas, what may become of them, and data of them.

    from stamp.testing.strategies import evolutions, payloads

    @given(payloads(TICKET_V1))
    def test_the_new_view_reads_whatever_was_written(payload): ...

    @given(evolutions(TICKET_V1))
    def test_no_legal_change_of_a_ticket_breaks_us(evolution): ...

Nothing else of stamp imports hypothesis: `pip install "stamp-coupling[testing]"`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import inf
from typing import Any, Final

from hypothesis import assume
from hypothesis import strategies as st

from stamp.compat.boundary import accepts
from stamp.compat.datum import digits, encode
from stamp.compat.sampler import Sampler, Where
from stamp.compat.smallest import Smallest
from stamp.compat.source import Schema, read_source
from stamp.errors import SchemaError
from stamp.schema.decoder import decoder_of
from stamp.schema.extent import visits
from stamp.schema.lint import lint, problems
from stamp.schema.resolve import Readability
from stamp.schema.types import Type, load
from stamp.testing.evolution import STEPS, Effect, Evolution, evolve, write

__all__ = ["Evolution", "data", "evolutions", "payloads", "schemas"]


def payloads(schema: Schema) -> st.SearchStrategy[bytes]:
    """Return a strategy of data of a schema in Avro binary, as they are in a contribution: every branch, symbol and extreme value.

    Recursive records are at most three deep, arrays and maps have at most two items.

    Args:
        schema: in its JSON form, as JSON text, the path of a file, or a `Source`.

    Raises:
        SchemaError: it is no schema, or none that stamp accepts.
    """
    source = read_source(schema)
    lint(source.document, recursion=True)
    if Smallest(source.root).size(source.root) == inf:
        raise SchemaError(f"expected a schema that has data, got {source.root.label}, of which there are none")
    return _payloads(source.root)


def data(schema: Schema) -> st.SearchStrategy[Any]:
    """Return a strategy of data of a schema as Python values: what a step that reads them with this schema gets.

    A record is a dict, a time a `datetime`, a decimal a `Decimal`: what pydantic takes, so this gives tickets, unless the model is
    stricter than its schema: `data(avro_schema(Ticket)).map(Ticket.model_validate)`. Which branch of a union a value is of cannot always
    be seen; `payloads` says it.

    Raises:
        SchemaError: as `payloads` does.
    """
    root = read_source(schema).root
    return payloads(schema).map(decoder_of(root, root))


def schemas(*, record: bool = False, recursion: bool = False) -> st.SearchStrategy[Any]:
    """Return a strategy of legal schemas in their JSON form: all types, logical ones too, names in namespaces, aliases, defaults.

    Args:
        record: only schemas of records, as contracts are.
        recursion: also types that contain themselves, which Avro allows and contracts do not.
    """
    return _schemas(record, recursion)


def evolutions(
    schema: Schema | None = None,
    *,
    legal: bool = True,
    most: int = 3,
    recursion: bool = False,
) -> st.SearchStrategy[Evolution]:
    """Return a strategy of what may become of a schema: `.old` is this schema, `.new` its successor, `.steps` says what was done.

    When `legal`, the new schema reads whatever the old one wrote, with the same meaning but for numbers that a promotion rounds: fields
    come with defaults and go, are renamed with aliases, types are promoted and become optional, unions and enums grow. Otherwise one of
    the steps breaks it: there is a datum that cannot be read.

    Args:
        schema: the schema before; random ones without.
        legal: whether the successor is safe.
        most: how many steps there are at most.
        recursion: also types that contain themselves; always, when `schema` has some.

    Raises:
        SchemaError: `schema` is none.
    """
    if schema is None:
        return schemas(recursion=recursion).flatmap(lambda old: _evolutions(old, legal, most, recursion))
    source = read_source(schema)
    for path, type_, _ in visits(source.root):
        if type_.kind in {"enum", "union"} and not (type_.symbols or type_.branches):
            raise SchemaError(f"expected types that all have values, got {type_.label}", path=path or None)
    old = source.document
    return _evolutions(old, legal, most, recursion or bool(problems(old)))


@st.composite
def _payloads(draw: st.DrawFn, root: Type) -> bytes:
    def choose(place: Hashable, options: Sequence[Any]) -> Any:
        assert isinstance(place, Where)
        return draw(_values(place, options))

    return encode(root, Sampler(root, root, choose).datum())


def _values(place: Where, options: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of what may be chosen at a place: values of the type around those that are suggested."""
    type_, said = place.writer, place.said
    wider = _WIDER.get(type_.logical if type_.logical in _WIDER else type_.kind)
    suggested = st.sampled_from(options)
    if wider is None or not _FREE.isdisjoint(said.words):
        return suggested
    found = wider(type_, options)
    return st.one_of(suggested, found.filter(lambda value: accepts(type_, said, value) is True) if said else found)


_FREE: Final = frozenset({"enum", "pattern", "format", "multipleOf", "minLength"})
"""Words of which only what is suggested is known to satisfy them, or hardly anything else does."""


def _range(_: Type, options: Sequence[int]) -> st.SearchStrategy[int]:
    return st.integers(min(options), max(options))


_WIDER: Final[Mapping[str, Callable[[Type, Sequence[Any]], st.SearchStrategy[Any]]]] = {
    "int": _range,
    "long": _range,
    "float": lambda type_, options: st.floats(width=32),
    "double": lambda type_, options: st.floats(),
    "bytes": lambda type_, options: st.binary(max_size=20),
    "string": lambda type_, options: st.text(max_size=20),
    "fixed": lambda type_, options: st.binary(min_size=type_.size, max_size=type_.size),
    "decimal": lambda type_, options: st.integers(1 - 10**type_.precision, 10**type_.precision - 1).map(
        lambda unscaled: digits(type_, unscaled)
    ),
    "uuid": lambda type_, options: st.uuids().map(lambda uuid: uuid.bytes if type_.size else str(uuid)),
    "big-decimal": lambda type_, options: st.sampled_from(options),  # not any bytes are one
}


@st.composite
def _schemas(draw: st.DrawFn, record: bool, recursion: bool) -> Any:  # noqa: FBT001 - composite passes them so
    return write(lambda options: draw(st.sampled_from(options)), record=record, recursion=recursion)


@st.composite
def _evolutions(draw: st.DrawFn, old: Any, legal: bool, most: int, recursion: bool) -> Evolution:  # noqa: FBT001, PLR0917
    def choose(options: Sequence[Any]) -> Any:
        return draw(st.sampled_from(options))

    first = evolve(old, choose, steps=_LEGAL if legal else _BREAKING, most=most if legal else 1, recursion=recursion)
    assume(first.steps)
    if legal or most == 1:
        return first
    more = evolve(first.new, choose, steps=_LEGAL, most=most - 1, recursion=recursion)
    is_mended = Readability().is_readable(load(old), load(more.new))  # such as by dropping the field that came
    return first if is_mended else Evolution(old, more.new, first.steps + more.steps)


_LEGAL: Final = [step for step in STEPS if step.effect is Effect.LEGAL]
_BREAKING: Final = [step for step in STEPS if step.effect is Effect.BREAKING]

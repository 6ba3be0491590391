"""Data against a clean verdict: they take every branch, symbol and extreme value there is, and all of them must be read."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from stamp.compat.datum import encode, shown
from stamp.compat.sampler import Sampler
from stamp.compat.search import MAX_SIZE
from stamp.compat.source import Schema, Source, read_source
from stamp.errors import DecodeError, LimitError, ResolutionError
from stamp.schema.decoder import decoder_of
from stamp.schema.decoding import Decoder
from stamp.schema.types import Type

__all__ = ["Sample", "prove", "samples"]

MAX_VAIN: Final = 30
"""After so many data without anything new there is nothing more to come: what is left lies too deep in a recursion."""


def prove(reader: Schema, writer: Schema, *, as_view: bool = False, budget: int = 20_000) -> int:
    """Return how many data of `writer` were decoded as `reader`, for a pair of which `check` says no error.

    They cover every branch of every union, every symbol, arrays and maps with and without items, the extremes of numbers, times,
    decimals and texts, and recursive records three deep. `budget` is how many values they may have together, some 10,000 of which
    take a tenth of a second. Data of a reader that sees more in plain data than the writer says (`text-read-as-uuid`) are such that
    it sees it rightly. 0 when no datum is small enough to be of use, or none is seen rightly.

    Raises:
        AssertionError: a datum was not read: the verdict was wrong.
        SchemaError: one of them is no schema.
    """
    written, read = read_source(writer), read_source(reader)
    if as_view:
        read = read.seen_as(written.root.name)
    as_read: Decoder | None = None
    count = 0
    for sample in samples(read, written, budget=budget):
        as_read = as_read or _compiled(written.root, read.root)
        try:
            as_read(sample.data)
        except (DecodeError, ResolutionError, LimitError) as error:
            raise AssertionError(f"expected {sample.text} to be read, got: {error}") from error
        count += 1
    return count


class Sample(NamedTuple):
    """A datum of a writer's type, and its binary. It is lawful when its writer writes such data, as far as constraints say."""

    type: Type
    datum: Any
    data: bytes
    is_lawful: bool

    @property
    def text(self) -> str:
        """Its JSON for people."""
        return json.dumps(shown(self.type, self.datum), ensure_ascii=False)


def samples(reader: Source, writer: Source, *, budget: int = 20_000) -> Iterator[Sample]:
    """Yield data of `writer` for a reader that is seen as what it reads: those that `prove` decodes."""
    choices = _Choices()
    sampler = Sampler(writer.root, reader.root, choices)
    if sampler.size > MAX_SIZE:
        return
    as_written = _compiled(writer.root, writer.root)
    count = vain = 0
    while count + vain == 0 or (choices.open and sampler.written < budget and vain < MAX_VAIN):
        before = choices.made
        try:
            datum = sampler.datum()
        except LookupError:  # of what the readers of such a field see, a check has warned
            return
        vain = vain + 1 if choices.made == before else 0
        data = encode(writer.root, datum)
        try:
            as_written(data)
        except (DecodeError, LimitError):  # too deep for any reader of ours
            continue
        count += 1
        yield Sample(writer.root, datum, data, sampler.is_lawful)


def _compiled(writer: Type, reader: Type) -> Decoder:
    try:
        return decoder_of(writer, reader)
    except (DecodeError, ResolutionError) as error:
        raise AssertionError(f"expected {writer.label} to be read as {reader.label}, got: {error}") from error


class _Choices:
    """Chooses at each place what was not chosen there before, for as long as there is anything."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, int] = {}
        self.open: set[Hashable] = set()
        self.made = 0
        """How many different choices have been made."""

    def __call__(self, place: Hashable, options: Sequence[Any]) -> Any:
        turn = self._turns.get(place, 0)
        self._turns[place] = turn + 1
        if turn < len(options):
            self.made += 1
        if turn + 1 < len(options):
            self.open.add(place)
        else:
            self.open.discard(place)
        return options[turn % len(options)]

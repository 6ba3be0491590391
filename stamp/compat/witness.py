"""Data that show what a finding means: the smallest that the writer writes and the reader cannot read, or reads otherwise.

Every witness has been decoded, as the writer's and as the reader's: what it says has happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from stamp.compat.constrained import narrowed
from stamp.compat.datum import encode, shown, text
from stamp.compat.finding import Finding, Severity, Witness
from stamp.compat.hazard import HAZARDS, refused, telling
from stamp.compat.narrowing import refusal
from stamp.compat.rules import ENFORCED
from stamp.compat.search import Aim, Candidate, Find, candidates, segments
from stamp.compat.smallest import Smallest
from stamp.compat.source import Schema, Source, read_source
from stamp.errors import DecodeError, LimitError, ResolutionError
from stamp.schema.constraint import ATTRIBUTE
from stamp.schema.decoder import decoder_of
from stamp.schema.decoding import Decoder
from stamp.schema.defaults import gives_value
from stamp.schema.resolve import Readability, sources
from stamp.schema.types import MISSING, Type

__all__ = ["Witnesses", "with_witnesses", "witness"]

MAX_CANDIDATES: Final = 8
"""How many data are decoded in search of one witness: the first is nearly always one."""


def witness(reader: Schema, writer: Schema, path: str | None = None, *, as_view: bool = False) -> Witness | None:
    """Return the smallest datum of `writer` that `reader` cannot read; else one that it reads otherwise; None when there is none.

    With `path`, in the terms of findings (`items[].price`), the reason is at this place of the reader, or inside it. The work is
    bounded, whatever the schemas are.

    Raises:
        SchemaError: one of them is no schema.
    """
    target = _Target(Aim(None if path is None else segments(path)))
    trial = _Trial(reader, writer, as_view=as_view)
    return trial.refused(target) or trial.misread(target, HAZARDS)


def with_witnesses(
    findings: Sequence[Finding], reader: Schema, writer: Schema, *, as_view: bool = False
) -> list[Finding]:
    """Return what `check(reader, writer)` found, each finding and each cause of one with a witness where there is one.

    An error has one, unless no datum of the writer is small enough to be of use. What only other Avro libraries misread has none.
    """
    if not findings:
        return []
    witnesses = Witnesses(reader, writer, as_view=as_view)
    return [witnesses.added_to(finding) for finding in findings]


class Witnesses:
    """Looks for witnesses of what `check(reader, writer)` found, as `with_witnesses` does, one after the other.

    When `is_over` says that there is no time left, findings stay as they are; `untried` counts those.
    """

    def __init__(
        self, reader: Schema, writer: Schema, *, as_view: bool = False, is_over: Callable[[], bool] = lambda: False
    ) -> None:
        self.untried = 0
        self._trial = _Trial(reader, writer, as_view=as_view)
        self._is_over = is_over

    def added_to(self, finding: Finding) -> Finding:
        """Return a finding with a witness, if it has one, and so its causes."""
        causes = tuple(self.added_to(cause) for cause in finding.causes)
        if self._is_over():
            self.untried += 1
            return replace(finding, causes=causes)
        return replace(finding, causes=causes, witness=self._trial.witness(finding))


class _Target(NamedTuple):
    """What a witness is to show: the places that count; there, when it is named, the field that the reader misses or refuses.

    `word` is where a word stands in the constraint of the field by which it is refused.
    """

    aim: Aim
    field: str = ""
    word: str = ""


def _target(finding: Finding, reader: Source, writer: Source) -> _Target:
    path, field = segments(finding.path), ""
    if finding.reader is None or finding.writer is None:
        return _Target(Aim(path))
    if _FIELD.search(finding.reader.pointer):
        *around, field = path
        path = tuple(around)
    types = writer.type_around(finding.writer.pointer)[1], reader.type_around(finding.reader.pointer)[1]
    if word := _WORD.search(finding.reader.pointer):
        field = types[1].fields[int(word[1])].name
        path = path[: len(path) - 1 - path[::-1].index(field)]
        return _Target(Aim(path, types), field, word[2])
    return _Target(Aim(path, types), field)


_FIELD: Final = re.compile(r"/fields/\d+\Z")

_WORD: Final = re.compile(rf"/fields/(\d+)/{ATTRIBUTE}(/.*)\Z")

_Refusal: TypeAlias = ResolutionError | DecodeError | LimitError
_REFUSALS: Final = (ResolutionError, DecodeError, LimitError)


class _Trial:
    """Two schemas, and the decoders by which candidates are tried."""

    def __init__(self, reader: Schema, writer: Schema, *, as_view: bool) -> None:
        self._writer = read_source(writer)
        read = read_source(reader)
        self._reader = read.seen_as(self._writer.root.name) if as_view else read
        self._smallest = Smallest(self._writer.root)
        self._readability = Readability()
        self._written = _compiled(self._writer.root, self._writer.root)
        self._read = _compiled(self._writer.root, self._reader.root)

    def witness(self, finding: Finding) -> Witness | None:
        """Return a witness of what `finding` says, at its place."""
        target = _target(finding, self._reader, self._writer)
        if target.word:
            return self.demanded(target)
        if finding.severity is not Severity.ERROR or finding.rule in ENFORCED:
            return self.misread(target, [finding.rule])
        return self.refused(target) or self.refused(_Target(target.aim._replace(types=None)))

    def refused(self, target: _Target) -> Witness | None:
        """Return a datum that the reader cannot read."""
        for candidate, data in self._candidates(target.aim, self._find_refused):
            if (error := _error(self._read, data)) is not None:
                return _witness(self._writer, candidate, data, str(_nearest(error, candidate, target.field)))
        return None

    def misread(self, target: _Target, rules: Iterable[str]) -> Witness | None:
        """Return a datum with a value that the reader refuses or reads otherwise, by what `rules` look at."""
        for find in (HAZARDS[rule] for rule in rules if rule in HAZARDS):
            for candidate, data in self._candidates(target.aim, find):
                if (outcome := _misreading(candidate)) is not None:
                    return _witness(self._writer, candidate, data, outcome)
        return None

    def demanded(self, target: _Target) -> Witness | None:
        """Return a datum that is decoded, and that the reader's model refuses because of a word of its constraint."""

        def find(writer: Type, reader: Type, smallest: Smallest) -> Iterator[Any]:
            if (writer, reader) == target.aim.types:
                for source, wanted, each in narrowed(writer, reader):
                    if (wanted.name, each.at) == (target.field, target.word) and each.value is not MISSING:
                        yield {**smallest.datum(writer), source.name: each.value}

        for candidate, data in self._candidates(target.aim, find):
            if (outcome := _refused_by_model(candidate, target.field)) is not None:
                return _witness(self._writer, candidate, data, outcome)
        return None

    def _candidates(self, aim: Aim, find: Find) -> Iterator[tuple[Candidate, bytes]]:
        root = self._writer.root, self._reader.root
        for each in islice(
            candidates(root, aim, find, smallest=self._smallest, readability=self._readability), MAX_CANDIDATES
        ):
            data = encode(self._writer.root, each.datum)
            if _error(self._written, data) is None:
                yield each, data

    def _find_refused(self, writer: Type, reader: Type, smallest: Smallest) -> Iterator[Any]:
        if reader.kind != "union":
            yield from refused(writer, reader, smallest)
        elif self._readability.branch(writer, reader) is None:
            yield telling(writer, smallest)


def _compiled(writer: Type, reader: Type) -> Decoder | ResolutionError:
    """Return the decoder; or the error that it has for whatever is written."""
    try:
        return decoder_of(writer, reader)
    except ResolutionError as error:
        return error


def _error(decode: Decoder | ResolutionError, data: bytes) -> _Refusal | None:
    if isinstance(decode, ResolutionError):
        return decode
    try:
        decode(data)
    except _REFUSALS as error:
        return error
    return None


def _witness(writer: Source, candidate: Candidate, data: bytes, outcome: str) -> Witness:
    return Witness(json.dumps(shown(writer.root, candidate.datum), ensure_ascii=False), data, outcome)


def _nearest(error: _Refusal, candidate: Candidate, field: str) -> _Refusal:
    """Return the error of a candidate's own value, unless the one of the whole datum tells of it.

    A decoder stops at the first value that it cannot read, which in this datum may be another one: one that is so in all data.
    """
    own = _own_error(candidate, field)
    return error if own is None or own.path == error.path else own


def _own_error(candidate: Candidate, field: str) -> _Refusal | None:
    data = encode(candidate.writer, candidate.value)
    alone, offset = _alone(candidate.writer, candidate.reader, field), candidate.offset
    if candidate.reader.kind == "record" == candidate.writer.kind:
        offset, data = offset + len(data), b""
    error = _error(_compiled(*alone), data)
    if error is None or not (candidate.path or offset):
        return error
    if error.offset is None:
        return ResolutionError(error.message, path=candidate.path or None, offset=candidate.offset)
    return error.within(candidate.path, offset=offset)


def _alone(writer: Type, reader: Type, field: str) -> tuple[Type, Type]:
    """Return the types; of records, of the writer's no field, and of the reader's those only that nothing gives a value.

    A decoder looks for them where the record ends, so nothing else in it need be read, and no code be written for it.
    """
    if reader.kind != "record" or writer.kind != "record":
        return writer, reader
    missing = [wanted for wanted, source in sources(reader, writer) if source is None and not gives_value(wanted)]
    wanted = [each for each in missing if each.name == field] or missing
    return replace(writer, fields=(), mark=""), replace(reader, fields=wanted, mark="")


def _refused_by_model(candidate: Candidate, field: str = "") -> str | None:
    """Say which field of a record, that a candidate's value is, the reader's model refuses; `field` or, without, the first."""
    if candidate.writer.kind != "record" or candidate.reader.kind != "record":
        return None
    for wanted, source in sources(candidate.reader, candidate.writer):
        if source is None or field not in {"", wanted.name}:
            continue
        value = candidate.value[source.name]
        if (reason := refusal(source, wanted, value)) is not None:
            told = json.dumps(shown(source.type, value), ensure_ascii=False)
            path = f"{candidate.path}.{wanted.name}".removeprefix(".")
            return f"{path}: the reader's model refuses {told:.80}: {reason}"
    return None


def _misreading(candidate: Candidate) -> str | None:
    """Say what becomes of a candidate's value, when it is something else than what was written."""
    data = encode(candidate.writer, candidate.value)
    if (error := _own_error(candidate, "")) is not None:
        return str(error)
    read, written = (decoder_of(candidate.writer, each)(data) for each in (candidate.reader, candidate.writer))
    if read == written or candidate.writer.kind == "record":
        return _refused_by_model(candidate)
    return f"{candidate.path or 'the whole'}: read as {text(read)} instead of {text(written)}"

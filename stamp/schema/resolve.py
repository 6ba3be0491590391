"""Avro schema resolution: which writer types a reader type can read (Avro 1.12, "Schema Resolution").

Two choices go beyond the letter of the specification, both towards never giving a wrong value:

* A known logical type is part of the type. A reader reads the same logical type, one that holds every value of the writer's
  exactly (`timestamp-millis` as `timestamp-micros`, a decimal with more digits), or the plain type below; never another meaning.
* The branch of a reader's union is the first of the writer's own kind that can be read whole, then the first by promotion.
  "The first that matches" would read `int` through `["float", "int"]` as a float, and would take a record of the same name
  whose fields cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from stamp.schema.defaults import gives_value
from stamp.schema.document import shown
from stamp.schema.matching import PROMOTIONS, Branches, matches, names_match
from stamp.schema.names import listed
from stamp.schema.types import MISSING, Field, Type

__all__ = [
    "FINER",
    "PROMOTIONS",
    "WIDENINGS",
    "Readability",
    "clash",
    "lost_symbols",
    "mismatch",
    "names_match",
    "sources",
    "why_not",
    "without",
]


WIDENINGS: Final = frozenset({("int", "long"), ("int", "double"), ("float", "double"), ("string", "bytes")})
"""Promotions that keep every value as it is."""

FINER: Final = {
    ("time-millis", "time-micros"),
    ("timestamp-millis", "timestamp-micros"),
    ("local-timestamp-millis", "local-timestamp-micros"),
}
"""Pairs of logical types in which the reader's holds every value of the writer's, scaled by 1,000."""

PLAIN: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})

Pair: TypeAlias = tuple[Type, Type]

Inside: TypeAlias = tuple[int, Field, Field | None]
"""A field of a reader's record: its number, itself, and the field that it takes its value from, if there is one."""


def why_not(writer: Type, reader: Type) -> str | None:
    """Say why `reader` cannot read `writer`, looking at these two types alone; None when nothing speaks against it.

    Neither is a union. What fields, items and symbols do to each other is not looked at.
    """
    return mismatch(writer, reader) or clash(writer, reader)


def mismatch(writer: Type, reader: Type) -> str | None:
    """Say why two types do not match by the letter of the specification, as `why_not` does; None when they do."""
    if matches(writer, reader):
        return None
    if writer.kind != reader.kind:
        return f"{writer.label} cannot be read as {reader.label}"
    if writer.size != reader.size:
        return f"{writer.label} has {writer.size} bytes, {reader.label} {reader.size}"
    return f"{writer.label} has another name than {reader.label}, and is none of its aliases"


def without(wanted: Field) -> str:
    """Say what a field that gives no value where it is missing has for a default."""
    if wanted.default is MISSING:
        return "no default"
    return f"a default, {shown(wanted.default)}, that is no value of {wanted.type.label}"


def clash(writer: Type, reader: Type) -> str | None:
    """Say why data of `writer`, which matches, mean something that `reader` has no value for; None when they do not."""
    if not writer.logical and not reader.logical:
        return None
    if (writer.kind, reader.kind) in _TEXT_AND_DIGITS and "decimal" in {writer.logical, reader.logical}:
        return f"{writer.label} is not written as {reader.label} is: one is text, the other a binary number"
    if not writer.logical or not reader.logical or (writer.logical, reader.logical) in FINER:
        return None
    if writer.logical != reader.logical:
        return f"{writer.label} means something else than {reader.label}"
    if writer.logical != "decimal":
        return None
    digits = (writer.precision - writer.scale, reader.precision - reader.scale)
    if writer.scale > reader.scale or digits[0] > digits[1]:
        return f"{writer.label} has values that {reader.label} cannot hold"
    return None


_TEXT_AND_DIGITS: Final = {("string", "bytes"), ("bytes", "string")}


def sources(reader: Type, writer: Type) -> list[tuple[Field, Field | None]]:
    """Pair each field of the record `reader` with the field of `writer` that it takes its value from, None where there is none.

    By name, else by the first alias that the writer has. A name that is also another field's alias gives way to an alias of its
    own, so that two fields can swap names; unless the writer's field has that alias too, and so is called by its new name already.
    """
    written = writer.by_name
    renamed = [each for each in reader.special if each.aliases]
    if not renamed:
        return [(wanted, written.get(wanted.name)) for wanted in reader.fields]
    claimed = {alias for each in renamed for alias in each.aliases}
    pairs = []
    for wanted in reader.fields:
        direct = written.get(wanted.name)
        aliased = next((written[alias] for alias in wanted.aliases if alias in written), None)
        if direct is None or (aliased and wanted.name in claimed and aliased.name not in direct.aliases):
            direct = aliased
        pairs.append((wanted, direct))
    return pairs


class Readability:
    """Which pairs of types can be read whole: for every datum of the writer there is one for the reader.

    The verdict is the greatest fixpoint over all pairs that can be reached, so recursive types are judged exactly; deciding
    along a walk, with "in progress, so compatible", is what makes other checkers unsound.

    With `meaning=False` logical types are ignored, as the letter of the specification has it.
    """

    def __init__(self, *, meaning: bool = True) -> None:
        self._meaning = meaning
        self._known: dict[Pair, bool] = {}
        self._inside: dict[Pair, list[Inside]] = {}
        self._branches: dict[Type, Branches] = {}

    def is_readable(self, writer: Type, reader: Type) -> bool:
        """Tell whether every datum of `writer` can be read as `reader`."""
        if _need_no_look(writer, reader):
            return True
        if (writer, reader) not in self._known:
            self._solve((writer, reader))
        return self._known[writer, reader]

    def reached(self) -> Iterable[Pair]:
        """Return the pairs looked at so far; pairs that are equal or plainly widen need not be among them."""
        return self._known

    def inside(self, writer: Type, reader: Type) -> Sequence[Inside]:
        """Return the fields of the record `reader` that need a look: who has no source, or one that it does not plainly read."""
        found = self._inside.get((writer, reader))
        if found is None:
            found = self._inside[writer, reader] = _inside(writer, reader)
        return found

    def branch(self, writer: Type, reader: Type) -> Type | None:
        """Return the branch of the union `reader` through which `writer` (no union) is read; None when there is none.

        Where no branch can read every datum, a branch of the writer's own kind is returned: some data may still be readable.
        """
        fitting = self._candidates(writer, reader)
        whole = (each for each in fitting if self.is_readable(writer, each))
        return next(whole, None) or next((each for each in fitting if each.kind == writer.kind), None)

    def obstacle(self, writer: Type, reader: Type) -> str | None:
        """Say what keeps `reader` from reading every datum of `writer`, with the path to it; None when nothing does."""
        return self._obstacle(writer, reader, "", set())

    def _obstacle(self, writer: Type, reader: Type, path: str, seen: set[Pair]) -> str | None:
        """Find what is not only around a pair that was `seen` on the way: what falls has a first reason to."""
        if (writer, reader) in seen or self.is_readable(writer, reader):
            return None
        seen.add((writer, reader))
        if writer.kind == "union":
            return next(filter(None, (self._obstacle(each, reader, path, seen) for each in writer.branches)), None)
        if reader.kind == "union":
            through = self.branch(writer, reader)
            if through is None:
                return f"{path or 'the whole'}: {writer.label} cannot be read as any branch of {reader.label}"
            return self._obstacle(writer, through, path, seen)
        if (reason := why_not(writer, reader)) is not None:
            return f"{path or 'the whole'}: {reason}"
        if writer.items is not None and reader.items is not None:
            step = "[]" if writer.kind == "array" else "{}"
            return self._obstacle(writer.items, reader.items, path + step, seen)
        if writer.kind == "enum":
            lost = listed(lost_symbols(writer, reader))
            return f"{path or 'the whole'}: {reader.label} lacks the symbols {lost}, and has no default"
        return self._field_obstacle(writer, reader, path, seen)

    def _field_obstacle(self, writer: Type, reader: Type, path: str, seen: set[Pair]) -> str | None:
        for wanted, source in sources(reader, writer):
            inner = f"{path}.{wanted.name}".removeprefix(".")
            if source is None and not gives_value(wanted):
                return f"{inner}: {writer.label} does not have this field, and it has {without(wanted)}"
            if source is not None and (found := self._obstacle(source.type, wanted.type, inner, seen)):
                return found
        return None

    def _solve(self, root: Pair) -> None:
        """Assume that every pair holds, and take back what falls: a pair falls with the last option of one of its needs."""
        known = self._known
        needs: dict[Pair, list[list[Pair]]] = {}
        waiting, fallen = [root], []
        while waiting:
            pair = waiting.pop()
            if pair in needs or pair in known:
                continue
            needs[pair] = options = self._needs(*pair)
            for each in options:
                if each:
                    waiting += each
                else:
                    fallen.append(pair)
        holds = dict.fromkeys(needs, True)
        if fallen or not all(known.values()):
            self._fall(needs, holds, fallen)
        known |= holds

    def _fall(self, needs: dict[Pair, list[list[Pair]]], holds: dict[Pair, bool], fallen: list[Pair]) -> None:
        users: dict[Pair, list[tuple[Pair, list[Pair]]]] = {}
        for pair, options in needs.items():
            for each in options:
                for option in each:
                    users.setdefault(option, []).append((pair, each))
        fallen = fallen + [pair for pair in users if self._known.get(pair) is False]
        holds.update((pair, False) for pair in fallen if pair in holds)
        while fallen:
            for pair, others in users.get(fallen.pop(), ()):
                if holds[pair] and not any(self._known.get(each, holds.get(each)) for each in others):
                    holds[pair] = False
                    fallen.append(pair)

    def matching(self, writer: Type, reader: Type) -> list[Type]:
        """Return the branches of the union `reader` that match `writer` (no union) by the letter of the specification."""
        known = self._branches.get(reader)
        if known is None:
            known = self._branches[reader] = Branches(reader.branches)
        return known.matching(writer)

    def _candidates(self, writer: Type, reader: Type) -> list[Type]:
        fitting = [each for each in self.matching(writer, reader) if not (self._meaning and clash(writer, each))]
        if len(fitting) > 1:
            fitting.sort(key=lambda branch: (branch.kind != writer.kind, branch.name != writer.name))
        return fitting

    def _fits(self, writer: Type, reader: Type) -> bool:
        return matches(writer, reader) and not (self._meaning and clash(writer, reader))

    def _options(self, writer: Type, reader: Type) -> list[Pair] | None:
        """Return the pairs of which one must hold for `writer`, which is no union; None when nothing need be looked at."""
        if reader.kind != "union":
            return None if _need_no_look(writer, reader) else [(writer, reader)]
        options: list[Pair] = []
        for branch in self._candidates(writer, reader):
            if not options and _need_no_look(writer, branch):
                return None
            options.append((writer, branch))
        return options

    def _needs(self, writer: Type, reader: Type) -> list[list[Pair]]:
        """Return what must hold for the pair to be readable: of each list at least one pair. An empty list never holds."""
        kind = writer.kind
        needs: list[list[Pair] | None] = []
        if kind == "union":
            needs = [self._options(branch, reader) for branch in writer.branches]
        elif reader.kind == "union":
            needs = [self._options(writer, reader)]
        elif not self._fits(writer, reader):
            return [[]]
        elif kind == "record":
            return _needs_of_fields(self.inside(writer, reader))
        elif writer.items is not None and reader.items is not None:
            needs = [None if _need_no_look(writer.items, reader.items) else [(writer.items, reader.items)]]
        elif kind == "enum" and not _has_all_symbols(writer, reader):
            return [[]]
        return [each for each in needs if each is not None]


def _needs_of_fields(inside: Sequence[Inside]) -> list[list[Pair]]:
    needs = []
    for _, wanted, source in inside:
        if source is not None:
            needs.append([(source.type, wanted.type)])
        elif not gives_value(wanted):
            return [[]]
    return needs


def _inside(writer: Type, reader: Type) -> list[Inside]:
    found: list[Inside] = []
    for number, (wanted, source) in enumerate(sources(reader, writer)):
        if source is not None:
            mark = source.type.mark
            if (mark and mark == wanted.type.mark) or _need_no_look(
                source.type, wanted.type
            ):  # the first half is quick
                continue
        found.append((number, wanted, source))
    return found


def _need_no_look(writer: Type, reader: Type) -> bool:
    """Tell whether two types are equal, or the reader's plainly holds every value, as far as that can be seen at once."""
    if writer.mark and writer.mark == reader.mark:
        return True
    if writer.logical or reader.logical or writer.ignored or reader.ignored:
        return False
    kinds = writer.kind, reader.kind
    return kinds in WIDENINGS or (kinds[0] == kinds[1] and kinds[0] in PLAIN)


def _has_all_symbols(writer: Type, reader: Type) -> bool:
    return reader.default is not None or writer.symbols == reader.symbols or not lost_symbols(writer, reader)


def lost_symbols(writer: Type, reader: Type) -> list[str]:
    """Return the symbols of an enum that another one does not have."""
    return [symbol for symbol in writer.symbols if symbol not in reader.numbers]

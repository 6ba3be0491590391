"""Where a reader's field accepts less than the writer's may hold: the words of the one beside those of the other, and a value between.

Both sides are walked together, as a decoder goes: through the branch of a union that is read, into items, values, keys and the places of
tuples. The fields of records inside have constraints of their own, and are not looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from stamp.compat.boundary import at_boundaries, seen_as
from stamp.compat.datum import Branch
from stamp.compat.rule import SCALARS
from stamp.compat.smallest import Smallest
from stamp.compat.wording import demanded, is_satisfied
from stamp.schema.constraint import NOTHING, Constraint
from stamp.schema.resolve import Readability
from stamp.schema.types import MISSING, Field, Type

__all__ = ["Narrowing", "narrowings", "refusal"]

MAX_ITEMS: Final = 1_000
"""How many items a value has at most that shows what a length refuses."""


class Narrowing(NamedTuple):
    """A word of the reader's that refuses what the writer may write.

    `at` is where it stands in the reader's constraint (a JSON pointer), `inside` where in the value (`[]`, `{}`), as the path of a
    finding has it. `value` is a datum of the writer's field that is refused; `MISSING` when none is small enough, or when it `cannot be
    told` whether there is one.
    """

    word: str
    at: str
    inside: str
    message: str
    value: Any = MISSING
    is_certain: bool = True


_Around: TypeAlias = Callable[[Any], Any]
"""Makes a value of the field of one inside it."""


class _Place(NamedTuple):
    writer: Type
    written: Constraint
    reader: Type
    wanted: Constraint
    at: str = ""
    inside: str = ""
    around: _Around = lambda value: value


def narrowings(source: Field, wanted: Field, smallest: Smallest) -> Iterator[Narrowing]:
    """Yield what the reader's field `wanted` refuses of what the writer's field `source` may hold.

    `smallest` gives what stands beside a value.
    """
    if wanted.constraint:
        start = _Place(source.type, source.constraint, wanted.type, wanted.constraint)
        yield from _Walk(smallest).look(start)


class _Walk:
    def __init__(self, smallest: Smallest) -> None:
        self._smallest = smallest
        self._readability = Readability()

    def look(self, place: _Place) -> Iterator[Narrowing]:
        writer, reader = place.writer, place.reader
        if not place.wanted:
            return
        if writer.kind == "union":
            for number, branch in enumerate(writer.branches):
                yield from self.look(self._branch(place, number, branch))
        elif reader.kind == "union":
            through = self._readability.branch(writer, reader)
            if through is not None:
                number = reader.branches.index(through)
                inner = place.wanted.branch(reader, number)
                at = place.at if inner is place.wanted else f"{place.at}/anyOf/{number}"
                yield from self.look(place._replace(reader=through, wanted=inner, at=at))
        elif writer.items is not None and reader.items is not None and writer.kind == reader.kind:
            yield from self._counts(place)
            yield from self._inside_of(place, writer.items, reader.items)
        elif writer.kind == reader.kind == "record":
            yield from self._tuple(place)
        else:
            yield from _leaf(place)

    def _branch(self, place: _Place, number: int, branch: Type) -> _Place:
        return place._replace(
            writer=branch,
            written=place.written.branch(place.writer, number),
            around=lambda value: place.around(Branch(number, value)),
        )

    def _inside_of(self, place: _Place, items: Type, wanted: Type) -> Iterator[Narrowing]:
        written, said = place.written, place.wanted
        if place.writer.kind == "array":
            inner = _Place(items, written.items, wanted, said.items, f"{place.at}/items", f"{place.inside}[]")
            yield from self.look(inner._replace(around=lambda value: place.around(self._list(place, items, value))))
            return
        inner = _Place(
            items, written.values, wanted, said.values, f"{place.at}/additionalProperties", f"{place.inside}{{}}"
        )
        key = next(iter(at_boundaries(_TEXT, written.keys)), "key")
        yield from self.look(inner._replace(around=lambda value: place.around({key: value})))
        keys = _Place(_TEXT, written.keys, _TEXT, said.keys, f"{place.at}/propertyNames", f"{place.inside}{{}}")
        yield from self.look(
            keys._replace(around=lambda value: place.around({value: self._smallest.lawful(items, written.values)}))
        )

    def _tuple(self, place: _Place) -> Iterator[Narrowing]:
        for number, (source, wanted) in enumerate(zip(place.writer.fields, place.reader.fields, strict=False)):
            inner = place.wanted.place(number)
            inside = f"{place.inside}.{wanted.name}"
            found = _Place(
                source.type, place.written.place(number), wanted.type, inner, f"{place.at}/prefixItems/{number}", inside
            )

            def around(value: Any, name: str = source.name) -> Any:
                beside = self._smallest.lawful(place.writer, place.written)
                return place.around({**beside, name: value})

            yield from self.look(found._replace(around=around))

    def _counts(self, place: _Place) -> Iterator[Narrowing]:
        """Compare how many items or keys there may be."""
        least, most = _COUNTS[place.writer.kind]
        low, high = place.written.words.get(least, 0), _least_of(place.written.words.get(most), _variety(place))
        wanted_low, wanted_high = place.wanted.words.get(least, 0), place.wanted.words.get(most)
        once = place.wanted.words.get("uniqueItems") and not place.written.words.get("uniqueItems")
        if wanted_high is not None and (high is None or high > wanted_high):
            yield self._count(place, most, max(wanted_high + 1, low), _or_any(high, "items"))
        if low < wanted_low:
            yield self._count(place, least, low, f"{low}" if low else "none")
        elif once and wanted_low > 1:  # what comes twice is read once
            yield self._count(place, least, low, f"{low} that may all be the same")

    def _count(self, place: _Place, word: str, count: int, got: str) -> Narrowing:
        whole = self._whole(place, count) if count <= MAX_ITEMS else None
        value = MISSING if whole is None else place.around(whole)
        message = f"expected {demanded(word, place.wanted.words[word])}, got {got}"
        return Narrowing(word, f"{place.at}/{word}", place.inside, message, value)

    def _whole(self, place: _Place, count: int) -> Any | None:
        """Return an array or a map of so many items; None where not so many that are distinct are known."""
        items, written = place.writer.items, place.written
        assert items is not None
        if place.writer.kind == "array":
            found = self._list(place, items, self._smallest.lawful(items, written.items), count) if count else []
            return found if len(found) == count else None
        item = self._smallest.lawful(items, written.values)
        keys = at_boundaries(_TEXT, written.keys) if written.keys else [f"key{number}" for number in range(count)]
        return dict.fromkeys(keys[:count], item) if len(keys) >= count else None

    def _list(self, place: _Place, items: Type, value: Any, count: int = 1) -> list[Any]:
        """Return a list that begins with a value, of as many items as the writer has at least; of distinct ones if it must."""
        count = min(max(place.written.words.get("minItems", 1), count), MAX_ITEMS)
        if "uniqueItems" not in place.written.words:
            return [value] * count
        others = at_boundaries(items, place.written.items) if items.kind in _LEAVES else []
        return [value, *(each for each in others if each != value)][:count]


_LEAVES: Final = SCALARS | {"enum", "fixed"}
_TEXT: Final = Type("string")
_COUNTS: Final = {"array": ("minItems", "maxItems"), "map": ("minProperties", "maxProperties")}


def _variety(place: _Place) -> int | None:
    """Return how many different items a set has at most, or how many keys a map, where these are few."""
    if place.writer.kind == "map":
        type_, said = _TEXT, place.written.keys
    elif "uniqueItems" in place.written.words and place.writer.items is not None:
        type_, said = place.writer.items, place.written.items
    else:
        return None
    if "enum" in said.words:
        return len(said.words["enum"])
    return {"boolean": 2, "null": 1, "enum": len(type_.symbols)}.get(type_.kind)


def _least_of(*limits: int | None) -> int | None:
    return min((each for each in limits if each is not None), default=None)


def _or_any(limit: int | None, what: str) -> str:
    return f"any number of {what}" if limit is None else f"at most {limit}"


def _leaf(place: _Place) -> Iterator[Narrowing]:
    """Compare the words about a value without parts, each with the values at the boundaries."""
    type_ = seen_as(place.writer, place.reader)
    words = {word: said for word, said in place.wanted.words.items() if not _is_the_same(place, word, said)}
    values = at_boundaries(type_, place.written, place.wanted) if words else []
    for word, said in words.items():
        answers = [(each, is_satisfied(type_, word, said, _read(place, each))) for each in values]
        refused = next((each for each, answer in answers if answer is False), MISSING)
        if refused is not MISSING:
            message = f"expected {demanded(word, said)}, got {_may_be(place, word)}"
            yield Narrowing(word, f"{place.at}/{word}", place.inside, message, place.around(refused))
        elif not _is_told(place, word, [answer for _, answer in answers]):
            message = f"expected {demanded(word, said)}, got {_may_be(place, word)}: whether that is so cannot be told"
            yield Narrowing(word, f"{place.at}/{word}", place.inside, message, is_certain=False)


def _is_the_same(place: _Place, word: str, said: Any) -> bool:
    return place.writer.kind == place.reader.kind and place.written.words.get(word) == said


def _read(place: _Place, value: Any) -> Any:
    """Return what the reader reads instead of a value: the default of its enum for a symbol that it does not know; a whole number as a float."""
    if place.reader.kind == "enum" and value not in place.reader.numbers and place.reader.default is not None:
        return place.reader.default
    if place.reader.kind in {"float", "double"} and isinstance(value, int):
        return float(value)
    if place.reader.kind == "string" and isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.encode() if place.reader.kind == "bytes" and isinstance(value, str) else value


def _is_told(place: _Place, word: str, answers: list[bool | None]) -> bool:
    """Tell whether values that are all accepted say that all are: not where a pattern decides what the writer writes, or the reader reads."""
    if None in answers or word == "pattern":
        return "enum" in place.written.words and None not in answers
    if "enum" in place.written.words or "pattern" not in place.written.words:
        return bool(answers) or place.writer.kind in {"fixed", "null"}
    return _is_wide_enough(place, word)


def _is_wide_enough(place: _Place, word: str) -> bool:
    """Tell whether the writer's lengths alone say that a text with a pattern in it is accepted."""
    said, written = place.wanted.words[word], place.written.words
    if word == "maxLength":
        return "maxLength" in written and written["maxLength"] <= said
    return word == "minLength" and written.get("minLength", 0) >= said


def _may_be(place: _Place, word: str) -> str:
    """Return what the writer says of its values, as far as it is of the same kind as a word."""
    written = place.written.words
    if "enum" in written and word == "enum":
        others = [each for each in written["enum"] if each not in place.wanted.words["enum"]]
        return f"also {demanded('enum', others).removeprefix('one of ')}" if others else "others"
    said = [demanded(each, written[each]) for each in (*_ALIKE.get(word, (word,)), "enum") if each in written]
    return " and ".join(said) or f"any {place.writer.label}"


_ALIKE: Final = {
    **dict.fromkeys(("maximum", "exclusiveMaximum"), ("maximum", "exclusiveMaximum")),
    **dict.fromkeys(("minimum", "exclusiveMinimum"), ("minimum", "exclusiveMinimum")),
    **dict.fromkeys(("minLength", "maxLength"), ("minLength", "maxLength", "format", "pattern")),
    **dict.fromkeys(("format", "schemes", "pattern"), ("format", "schemes", "pattern")),
}


def refusal(source: Field, wanted: Field, value: Any) -> str | None:
    """Say what a reader's field has against a datum of the writer's field; None when it accepts it, or when that cannot be told."""
    readability = Readability()

    def of(writer: Type, reader: Type, said: Constraint, datum: Any) -> str | None:
        if not said:
            return None
        if writer.kind == "union":
            return of(writer.branches[datum.number], reader, said, datum.value)
        if reader.kind == "union":
            through = readability.branch(writer, reader)
            if through is None:
                return None
            return of(writer, through, said.branch(reader, reader.branches.index(through)), datum)
        for word, limit in said.words.items():
            place = _Place(writer, NOTHING, reader, said)
            read = _once(datum) if "uniqueItems" in said.words else _read(place, datum)
            if is_satisfied(seen_as(writer, reader), word, limit, read) is False:
                return f"expected {demanded(word, limit)}"
        return next(filter(None, (of(*each) for each in _parts(writer, reader, said, datum))), None)

    return of(source.type, wanted.type, wanted.constraint, value)


def _once(items: Any) -> Any:
    """Return the items of an array as a set has them: what comes twice, once."""
    return [each for number, each in enumerate(items) if each not in items[:number]]


def _parts(writer: Type, reader: Type, said: Constraint, datum: Any) -> Iterator[tuple[Type, Type, Constraint, Any]]:
    """Yield what is in a datum, with its types and the reader's constraint."""
    if isinstance(datum, list) and writer.items is not None and reader.items is not None:
        yield from ((writer.items, reader.items, said.items, each) for each in datum)
    elif writer.kind == "map" and writer.items is not None and reader.items is not None:
        for key, each in datum.items():
            yield _TEXT, _TEXT, said.keys, key
            yield writer.items, reader.items, said.values, each
    elif writer.kind == reader.kind == "record":
        for number, (source, wanted) in enumerate(zip(writer.fields, reader.fields, strict=False)):
            yield source.type, wanted.type, said.place(number), datum[source.name]

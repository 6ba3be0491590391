"""The values of a type, without parts, at the boundaries of constraints: the first that one refuses, and the last that it accepts.

What a writer's constraint accepts lies in a reader's if, and only if, these values do: numbers in a range and on a grid, texts by their
length. So a check looks at them, and the first that the reader refuses shows what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import inf, isfinite, nan, nextafter
from typing import Any, Final
from uuid import UUID

from stamp.compat.measure import MAX_EXPONENT, Measure, as_float, bound, datum, granule, measure, of_text, range_of
from stamp.compat.wording import is_satisfied
from stamp.schema.constraint import NOTHING, Constraint
from stamp.schema.types import Type

__all__ = ["accepts", "at_boundaries", "seen_as"]

MAX_LENGTH: Final = 262_144
"""The longest text that is thought of: an envelope has no more bytes."""


def accepts(type_: Type, constraint: Constraint, value: Any) -> bool | None:
    """Tell whether a constraint accepts a value, as far as words about the value itself say; None when that cannot be told."""
    answers = {is_satisfied(type_, word, said, value) for word, said in constraint.words.items()}
    return False if False in answers else None if None in answers else True


def seen_as(writer: Type, reader: Type) -> Type:
    """Return the writer's type with the meaning that the reader sees in it, where the writer does not say one."""
    if writer.logical or not reader.logical or writer.name:
        return writer
    return replace(writer, logical=reader.logical, precision=reader.precision, scale=reader.scale)


def at_boundaries(type_: Type, written: Constraint, wanted: Constraint = NOTHING) -> list[Any]:
    """Return values of a type that a writer's constraint accepts, at its boundaries and at those of a reader's, these first.

    Where a pattern is demanded that nobody can find in a text, there may be none.
    """
    return _values(_Kind(type_), written, wanted)


class _Kind:
    """A type without parts, equal to others of the same kind and meaning."""

    __slots__ = ("key", "type")

    def __init__(self, type_: Type) -> None:
        self.type = type_
        self.key = type_.kind, type_.logical, type_.precision, type_.scale, type_.size, type_.symbols

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kind) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=1024)
def _values(kind: _Kind, written: Constraint, wanted: Constraint) -> list[Any]:
    type_ = kind.type
    if "enum" in written.words:
        found = [_of_plain(type_, each) for each in written.words["enum"]]
    else:
        found = [each for each in _candidates(type_, written, wanted) if each is not None]
    distinct = {(type(each), each): each for each in found}  # 1 is not True
    return [each for each in distinct.values() if accepts(type_, written, each)]


def _of_plain(type_: Type, value: Any) -> Any:
    return value.encode("latin-1", "replace") if type_.kind in {"bytes", "fixed"} and isinstance(value, str) else value


def _candidates(type_: Type, written: Constraint, wanted: Constraint) -> Iterator[Any]:
    is_number = type_.kind in {"int", "long", "float", "double"} or type_.logical == "decimal"
    is_decimal = type_.kind == "string" and "decimal" in {written.words.get("format"), wanted.words.get("format")}
    if is_number or is_decimal:
        yield from _numbers(type_, written, wanted)
    if not is_number:
        yield from _PLAIN.get(type_.logical if type_.logical in _PLAIN else type_.kind, _nothing)(
            type_, written, wanted
        )


# -- numbers


_LIMITS: Final = ("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum")
_STEPS: Final = 3


def _numbers(type_: Type, written: Constraint, wanted: Constraint) -> Iterator[Any]:
    """Yield numbers: beside each bound, those of the reader first; the ends of the range; and the first on the grid of multiples."""
    for each in _points(type_, written, wanted):
        yield datum(type_, each)
    if type_.kind in {"float", "double"}:
        yield from (inf, -inf, nan)


def _points(type_: Type, written: Constraint, wanted: Constraint) -> Iterator[Fraction]:
    little, step = granule(type_), _step(type_, written)
    limits = [found for said in (wanted, written) for found in _bounds(type_, said)]
    ends = [_finite(each, type_) for each in range_of(type_)]
    beside = [point for limit in limits for point in _beside(limit, little or Fraction(1))]
    if little is None:
        beside += [point for pair in pairwise(sorted({*limits, *ends})) for point in _between(*pair)]
    small = (Fraction(0), little or Fraction(1), -(little or Fraction(1)))
    for point in (*beside, *_multiples(type_, wanted), *small, *ends):
        yield from _on_grid(point, step) if step else (point,)


def _step(type_: Type, said: Constraint) -> Fraction | None:
    found = bound(type_, said.words["multipleOf"]) if "multipleOf" in said.words else None
    return found if isinstance(found, Fraction) and found > 0 else None


def _bounds(type_: Type, said: Constraint) -> Iterator[Fraction]:
    for word in _LIMITS:
        limit = bound(type_, said.words[word]) if word in said.words else None
        if isinstance(limit, Fraction):
            yield limit
    if type_.kind == "string":
        for each in said.words.get("enum", ()):
            if isinstance(each, str) and (number := of_text(each)) is not None:
                yield number
        yield from (Fraction(10**each) for each in _few(said, "maxDigits"))
        yield from (Fraction(1, 10 ** (each + 1)) for each in _few(said, "decimalPlaces"))
    else:
        yield from (measure(type_, each) for each in said.words.get("enum", ()) if _is_exact(type_, each))  # type: ignore[misc]


def _few(said: Constraint, word: str) -> Iterator[int]:
    """Yield a number of digits, unless it is so large that nobody compares such decimals: ten of them say it, and it fills the memory."""
    if said.words.get(word, MAX_EXPONENT) < MAX_EXPONENT:
        yield said.words[word]


def _is_exact(type_: Type, value: Any) -> bool:
    return isinstance(measure(type_, value), Fraction)


def _finite(end: Measure, type_: Type) -> Fraction:
    if isinstance(end, Fraction):
        return end
    most = {"float": 3.4028234663852886e38, "double": 1.7976931348623157e308}.get(type_.kind, 1e30)
    return Fraction(most if end > 0 else -most)


def _beside(limit: Fraction, little: Fraction) -> Iterator[Fraction]:
    """Yield a bound, and what is just beyond it on either side; on the grid of a type even if the bound is between."""
    down = (limit / little).__floor__() * little
    yield from (limit, down + little, down if down < limit else limit - little)


def _between(low: Fraction, high: Fraction) -> Iterator[Fraction]:
    yield (low + high) / 2
    ends = as_float(low), as_float(high)
    yield from (Fraction(near) for near in (nextafter(*ends), nextafter(*reversed(ends))) if isfinite(near))


def _on_grid(point: Fraction, step: Fraction) -> Iterator[Fraction]:
    below = (point / step).__floor__() * step
    for number in range(_STEPS):
        yield below + number * step
    yield below - step


def _multiples(type_: Type, wanted: Constraint) -> Iterator[Fraction]:
    step, little = _step(type_, wanted), granule(type_)
    if step:
        yield from (step + little, step - little) if little else (step * Fraction(3, 2),)


# -- texts


def _texts(_: Type, written: Constraint, wanted: Constraint) -> Iterator[str]:
    samples = _samples(written)
    if samples is None:
        yield from (
            each for each in _TELLING if "enum" in wanted.words or "format" in wanted.words or "pattern" in wanted.words
        )
        samples = ("x",)
        yield from ("x" * length for length in _lengths(written, wanted, "minLength", "maxLength"))
        yield from _TELLING
    yield from samples
    if written.words.get("format") == "uri":
        whole = samples[0]
        yield from (
            whole + "x" * (length - len(whole)) for length in _lengths(written, wanted, "minLength", "maxLength")
        )


_TELLING: Final = ("C-17", "card", "12", "7", "Ab1", "AB", "a@b.c", "A-1", "")
"""Texts of no format, and of several alphabets: some pattern may be found in one of them."""


def _lengths(written: Constraint, wanted: Constraint, least: str, most: str) -> Iterator[int]:
    said = [each.words[word] for each in (wanted, written) for word in (most, least) if word in each.words]
    for limit in said:
        yield from (each for each in (limit + 1, limit - 1, limit) if 0 <= each <= MAX_LENGTH)


def _samples(said: Constraint) -> tuple[str, ...] | None:
    """Return texts of a format; None where none is demanded, or one that nobody knows."""
    named = said.words.get("format")
    if named != "uri":
        return _SAMPLES.get(named) if named is not None else None
    schemes = said.words.get("schemes", ("https", "http", "ftp", "amqp", "urn"))
    return tuple(f"{each}:stamp" if each == "urn" else f"{each}://example.com/" for each in schemes)


_UUIDS: Final = (
    "0188d3f1-7c2b-7b3e-9c5a-0123456789ab",
    *(f"6fa459ea-ee8a-{version}ca4-894e-db77e160355e" for version in (4, 1, 3, 5, 6, 8)),
    "00000000-0000-0000-0000-000000000000",
)
_LONG_LABEL: Final = "x" * 60
_V4: Final = ("192.0.2.1", "255.255.255.255", "1.1.1.1")
_V6: Final = ("2001:db8::1", "::", "2001:db8:1111:2222:3333:4444:5555:6666")

_SAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "uuid": _UUIDS,
    **{f"uuid{each}": tuple(uuid for uuid in _UUIDS if UUID(uuid).version == each) for each in range(1, 9)},
    "email": ("ada@example.com", "a@b.co", f"{'a' * 60}@{_LONG_LABEL}.{_LONG_LABEL}.{_LONG_LABEL}.com"),
    "decimal": ("0", "-1.5", "12345678901234567890.123456789"),
    "ipv4": _V4,
    "ipv6": _V6,
    "ipvanyaddress": _V4 + _V6,
    "ipv4network": ("192.0.2.0/24", "0.0.0.0/0"),
    "ipv6network": ("2001:db8::/32", "::/0"),
    "ipvanynetwork": ("192.0.2.0/24", "2001:db8::/32"),
    "ipv4interface": ("192.0.2.1/24", "1.1.1.1/8"),
    "ipv6interface": ("2001:db8::1/64", "::/0"),
    "ipvanyinterface": ("192.0.2.1/24", "2001:db8::1/64"),
}


def _uuids(type_: Type, *_: Constraint) -> Iterator[Any]:
    for each in _UUIDS:
        yield UUID(each).bytes if type_.kind == "fixed" else each.encode() if type_.kind == "bytes" else each


def _bytes(_: Type, written: Constraint, wanted: Constraint) -> Iterator[bytes]:
    yield from (b"x" * length for length in _lengths(written, wanted, "minLength", "maxLength"))
    yield from (b"", b"C-17", b"x")


def _nothing(*_: Type | Constraint) -> Iterator[Any]:
    yield from ()


_PLAIN: Final[Mapping[str, Callable[[Type, Constraint, Constraint], Iterator[Any]]]] = {
    "null": lambda type_, written, wanted: iter((None,)),
    "boolean": lambda type_, written, wanted: iter((False, True)),
    "enum": lambda type_, written, wanted: iter(type_.symbols),
    "fixed": lambda type_, written, wanted: iter((bytes(type_.size),)),
    "bytes": _bytes,
    "string": _texts,
    "uuid": _uuids,
}

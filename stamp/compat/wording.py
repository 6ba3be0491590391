"""The words of a constraint: whether a value satisfies one, and how messages say it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from ipaddress import ip_address, ip_interface, ip_network
from math import isfinite
from typing import Any, Final
from uuid import UUID

from stamp.compat.measure import bound, measure
from stamp.schema.types import Type

__all__ = ["demanded", "is_satisfied", "plain"]

Judge = Callable[[Type, Any, Any], "bool | None"]


def is_satisfied(type_: Type, word: str, said: Any, datum: Any) -> bool | None:
    """Tell whether a datum of a type satisfies a word of a constraint; None when that cannot be told.

    Words that are about another type, or that nobody knows, are satisfied.
    """
    judge = _JUDGES.get(word)
    return True if judge is None else judge(type_, said, datum)


def plain(datum: Any) -> Any:
    """Return a datum as a constraint says it: bytes as one character a byte."""
    return datum.decode("latin-1") if isinstance(datum, bytes) else datum


def _compared(holds: Callable[[Any, Any], bool]) -> Judge:
    def judge(type_: Type, said: Any, datum: Any) -> bool | None:
        limit, found = bound(type_, said), measure(type_, datum)
        if limit is None:
            return None
        return True if found is None else holds(found, limit)

    return judge


def _is_multiple(type_: Type, said: Any, datum: Any) -> bool | None:
    step, found = bound(type_, said), measure(type_, datum)
    if not step or found is None:
        return None if not step else True
    if isinstance(datum, float):
        return _is_nearly_multiple(datum, float(step))
    return Fraction(found / step).denominator == 1


def _is_nearly_multiple(number: float, step: float) -> bool:
    """Tell whether pydantic takes a floating point number for a multiple: how much of a remainder is none depends on the number."""
    try:
        _multiples(step)(number)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _multiples(step: float) -> Callable[[float], Any]:
    """Return what raises ValueError for a number that is no multiple."""
    from pydantic_core import SchemaValidator, core_schema  # noqa: PLC0415 - most checks have no multiple

    return SchemaValidator(core_schema.float_schema(multiple_of=step)).validate_python


def _is_finite(_: Type, said: Any, datum: Any) -> bool:
    return not said or not isinstance(datum, float) or isfinite(datum)


def _counted(holds: Callable[[int, int], bool], kinds: type | tuple[type, ...]) -> Judge:
    def judge(type_: Type, said: Any, datum: Any) -> bool | None:
        return holds(_length(type_, datum), said) if isinstance(datum, kinds) else True

    return judge


def _length(type_: Type, datum: Any) -> int:
    return len(datum.decode("utf-8", "replace")) if isinstance(datum, bytes) and type_.kind == "string" else len(datum)


def _is_among(_: Type, said: Sequence[Any], datum: Any) -> bool:
    value = plain(datum)
    if value not in said:  # quick, and mostly the answer that counts
        return False
    return any(each == value and isinstance(each, bool) == isinstance(value, bool) for each in said)


# -- text


def _matches(_: Type, said: str, datum: Any) -> bool | None:
    return True if not isinstance(datum, str) else found(said, datum)


MAX_LENGTH: Final = 300
MAX_REPEATS: Final = 1_000


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Callable[[str], Any] | None:
    """Return what raises ValueError for a text without the pattern: pydantic's own engine, which takes linear time; None if it refuses."""
    repeats = 1
    for count in re.findall(r"\{(?:[0-9]*,)?([0-9]+)", pattern):
        repeats *= int(count) + 1
    if len(pattern) > MAX_LENGTH or repeats > MAX_REPEATS:  # small to write down, and large to compile
        return None
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415 - most checks have no pattern

    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern)).validate_python
    except SchemaError:
        return None


def found(pattern: str, text: str) -> bool | None:
    """Tell whether a pattern is found in a short text; None when that cannot be told in time, or by this engine."""
    look = _compiled(pattern)
    if look is None or len(text) > MAX_LENGTH:
        return None
    try:
        look(text)
    except ValueError:
        return False
    return True


def _has_format(_: Type, said: str, datum: Any) -> bool | None:
    if not isinstance(datum, str):
        return True
    judge = _FORMATS.get(said)
    return None if judge is None else judge(datum)


def _parses(parse: Callable[[str], Any], version: int | None = None) -> Callable[[str], bool]:
    def judge(text: str) -> bool:
        try:
            parsed = parse(text)
        except (ValueError, InvalidOperation):
            return False
        return version is None or parsed.version == version

    return judge


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text) is not None


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "uuid": _parses(UUID),
    **{f"uuid{version}": _parses(UUID, version) for version in range(1, 9)},
    "email": _like(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+"),
    "uri": _like(r"[A-Za-z][A-Za-z0-9+.-]*:\S+"),
    "decimal": _is_decimal,
    **{f"ip{name}": _parses(parse, version) for name, version, parse in (
        ("v4", 4, ip_address), ("v6", 6, ip_address), ("vanyaddress", None, ip_address),
        ("v4network", 4, ip_network), ("v6network", 6, ip_network), ("vanynetwork", None, ip_network),
        ("v4interface", 4, ip_interface), ("v6interface", 6, ip_interface), ("vanyinterface", None, ip_interface),
    )},
}  # fmt: skip


def _has_scheme(_: Type, said: Sequence[str], datum: Any) -> bool:
    return not isinstance(datum, str) or datum.partition(":")[0].lower() in said


def _digits(_: Type, said: int, datum: Any) -> bool:
    """Tell whether a decimal in text has so many digits at most, counted as pydantic does: of 0.01 there are two."""
    whole, places = _parts(datum)
    return whole + places <= said


def _places(_: Type, said: int, datum: Any) -> bool:
    return _parts(datum)[1] <= said


def _parts(text: Any) -> tuple[int, int]:
    """Return how many digits a decimal in text has before the point and after it, without zeros at its end."""
    if not isinstance(text, str) or not _is_decimal(text):
        return 0, 0
    _, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    zeros = min(zeros, max(-exponent, 0))
    return max(len(digits) + exponent, 0), max(-exponent - zeros, 0)


_JUDGES: Final[Mapping[str, Judge]] = {
    "minimum": _compared(lambda value, limit: value >= limit),
    "exclusiveMinimum": _compared(lambda value, limit: value > limit),
    "maximum": _compared(lambda value, limit: value <= limit),
    "exclusiveMaximum": _compared(lambda value, limit: value < limit),
    "multipleOf": _is_multiple,
    "finite": _is_finite,
    "minLength": _counted(lambda length, limit: length >= limit, (str, bytes)),
    "maxLength": _counted(lambda length, limit: length <= limit, (str, bytes)),
    "minItems": _counted(lambda length, limit: length >= limit, list),
    "maxItems": _counted(lambda length, limit: length <= limit, list),
    "minProperties": _counted(lambda length, limit: length >= limit, dict),
    "maxProperties": _counted(lambda length, limit: length <= limit, dict),
    "enum": _is_among,
    "pattern": _matches,
    "format": _has_format,
    "schemes": _has_scheme,
    "maxDigits": _digits,
    "decimalPlaces": _places,
}


# -- messages


def demanded(word: str, said: Any) -> str:
    """Return what a word demands, for a sentence: `at most 999`."""
    return _TEXTS[word](said)


def _listed(values: Sequence[Any]) -> str:
    shown = [json.dumps(each, ensure_ascii=False) for each in values[:_MOST]]
    return ", ".join(shown) + (f" and {len(values) - _MOST} more" if len(values) > _MOST else "")


_MOST: Final = 8

_TEXTS: Final[Mapping[str, Callable[[Any], str]]] = {
    "minimum": lambda said: f"at least {said}",
    "exclusiveMinimum": lambda said: f"more than {said}",
    "maximum": lambda said: f"at most {said}",
    "exclusiveMaximum": lambda said: f"less than {said}",
    "multipleOf": lambda said: f"a multiple of {said}",
    "finite": lambda said: "a finite number",
    "minLength": lambda said: f"a length of at least {said}",
    "maxLength": lambda said: f"a length of at most {said}",
    "minItems": lambda said: f"at least {said} items",
    "maxItems": lambda said: f"at most {said} items",
    "minProperties": lambda said: f"at least {said} keys",
    "maxProperties": lambda said: f"at most {said} keys",
    "enum": lambda said: f"one of {_listed(said)}" if len(said) > 1 else _listed(said),
    "pattern": lambda said: f"text with {json.dumps(said, ensure_ascii=False)} in it",
    "format": lambda said: f"the format {said}",
    "schemes": lambda said: f"a URI of {' or '.join(said)}",
    "maxDigits": lambda said: f"at most {said} digits",
    "decimalPlaces": lambda said: f"at most {said} digits after the point",
}

"""What pydantic enforces beyond an Avro type, in the words of `stamp.schema.constraint`.

Every word here is one that pydantic refuses a value by. What it does in code (validators, predicates, a look at the disk or the clock)
cannot be told in words: `validator` says where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from math import isfinite
from typing import Any, Final, get_args, get_origin
from uuid import UUID

import pydantic
from annotated_types import GroupedMetadata, Not, Predicate, Timezone
from pydantic import BaseModel, types

from stamp.schema.place import Place
from stamp.schema.scalars import URLS

__all__ = ["enforced", "limits_of", "literal_words", "loosest", "validated_fields", "validates"]

Words = dict[str, Any]

VALIDATORS: Final = (
    *(pydantic.AfterValidator, pydantic.BeforeValidator, pydantic.PlainValidator, pydantic.WrapValidator),
    *(Predicate, Not, Timezone, types.PathType),
)
"""Metadata that is code, or asks something outside of the value."""

CLOCKED: Final = (pydantic.PastDatetime, pydantic.FutureDatetime, pydantic.PastDate, pydantic.FutureDate)
"""Types that look at the clock."""

FORMATS: Final[Mapping[Any, str]] = {
    pydantic.EmailStr: "email",
    IPv4Address: "ipv4",
    IPv6Address: "ipv6",
    pydantic.IPvAnyAddress: "ipvanyaddress",
    IPv4Interface: "ipv4interface",
    IPv6Interface: "ipv6interface",
    pydantic.IPvAnyInterface: "ipvanyinterface",
    IPv4Network: "ipv4network",
    IPv6Network: "ipv6network",
    pydantic.IPvAnyNetwork: "ipvanynetwork",
}
"""What pydantic calls the formats of types that are text on the wire."""

_BOUNDS: Final = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "number": {**_BOUNDS, "multiple_of": "multipleOf", "max_digits": "maxDigits", "decimal_places": "decimalPlaces"},
    "time": _BOUNDS,
    "text": {"min_length": "minLength", "max_length": "maxLength"},
    "array": {"min_length": "minItems", "max_length": "maxItems"},
    "map": {"min_length": "minProperties", "max_length": "maxProperties"},
}
"""By the kind of a type: what metadata call a constraint, and the word for it."""


def enforced(annotation: Any, metadata: Iterable[Any], place: Place) -> Words:
    """Return what pydantic enforces of one type, that is no union, beyond how it is written; not of what is in it."""
    if annotation is None or annotation is type(None):
        return {}
    kind = _kind(annotation)
    words = _own(annotation, kind, place)
    for each in _single(metadata):
        told = dict(_told(each, kind))
        words |= told
        if _is_code(each) or (not told and _constrains(each)):
            words["validator"] = place.path
    if annotation is Decimal and {"maxDigits", "decimalPlaces"} <= words.keys():  # then it is Avro's own decimal
        words = {word: value for word, value in words.items() if word not in {"maxDigits", "decimalPlaces", "format"}}
    return words


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation) or annotation
    if not isinstance(origin, type):
        return ""
    if issubclass(origin, URLS):
        return "uri"
    if issubclass(origin, Mapping):
        return "map"
    return _KINDS.get(origin) or ("array" if get_args(annotation) else "")


_KINDS: Final[Mapping[type, str]] = {
    **dict.fromkeys((int, float, Decimal, pydantic.ByteSize), "number"),
    **dict.fromkeys(
        (date, datetime, time, timedelta, pydantic.AwareDatetime, pydantic.NaiveDatetime, *CLOCKED), "time"
    ),
    **dict.fromkeys((str, bytes, pydantic.EmailStr), "text"),
    UUID: "uuid",
}
"""Which words are about a type."""


def _is_clocked(annotation: Any) -> bool:
    return any(annotation is each for each in CLOCKED)


def _own(annotation: Any, kind: str, place: Place) -> Words:
    """Return what a type enforces by itself, or by the configuration of the model around it."""
    if _is_clocked(annotation):
        return {"validator": place.path}
    if kind == "uri":
        return {"format": "uri", **_of_url(annotation._constraints)}  # noqa: SLF001 - pydantic has no public name for it
    words: Words = {"format": FORMATS[annotation]} if isinstance(annotation, type) and annotation in FORMATS else {}
    if annotation is str:
        words |= {word: value for word, value in place.limits.items() if word != "finite"}
    elif annotation is float and "finite" in place.limits:
        words |= {"finite": True}
    elif annotation is pydantic.ByteSize:
        words |= {"minimum": 0}
    elif annotation is Decimal:
        words |= {"format": "decimal"}
    return words


def _of_url(given: Any) -> Words:
    schemes = {"schemes": sorted(given.allowed_schemes)} if given.allowed_schemes else {}
    return schemes | ({"maxLength": given.max_length} if given.max_length is not None else {})


def limits_of(config: Mapping[str, Any]) -> Words:
    """Return what the configuration of a model enforces of each text and number in it."""
    lengths = {"str_min_length": "minLength", "str_max_length": "maxLength"}
    words = {word: config[key] for key, word in lengths.items() if config.get(key)}
    return words | ({"finite": True} if config.get("allow_inf_nan") is False else {})


def _single(metadata: Iterable[Any]) -> Iterator[Any]:
    """Yield metadata one by one: `Interval`, `Len` and the like consist of several."""
    for each in metadata:
        if isinstance(each, GroupedMetadata) and not isinstance(each, Predicate):
            yield from _single(each)
            if _changes_text(each):
                yield pydantic.BeforeValidator(str)
        elif each is not None:
            yield each


def _changes_text(each: Any) -> bool:
    """Tell whether text is judged after it has been changed, or by its alphabet."""
    is_judged = getattr(each, "min_length", None) or getattr(each, "pattern", None)
    return bool(getattr(each, "ascii_only", None) or (getattr(each, "strip_whitespace", None) and is_judged))


def _told(each: Any, kind: str) -> Iterator[tuple[str, Any]]:
    """Yield the words for one metadatum."""
    for name, word in _NAMES.get(kind, {}).items():
        if (value := _json(getattr(each, name, None))) is not None:
            yield word, value
    if kind == "number" and getattr(each, "allow_inf_nan", None) is False:
        yield "finite", True
    elif kind == "text" and (pattern := getattr(each, "pattern", None)) is not None:
        yield "pattern", getattr(pattern, "pattern", pattern)
    elif kind == "uuid" and (version := getattr(each, "uuid_version", None)) is not None:
        yield "format", f"uuid{version}"
    elif kind == "uri" and isinstance(each, pydantic.UrlConstraints):
        yield from _of_url(each).items()


def _is_code(each: Any) -> bool:
    is_function = isinstance(each, pydantic.Discriminator) and callable(each.discriminator)
    return isinstance(each, VALIDATORS) or is_function or _is_clocked(each)


def _constrains(each: Any) -> bool:
    """Tell whether a metadatum is a constraint of which nothing could be told."""
    names = (*_BOUNDS, "multiple_of", "min_length", "max_length", "pattern")
    return any(getattr(each, name, None) is not None for name in names)


def _json(value: Any) -> Any:
    """Return a bound in JSON; None for what is no bound of such a type."""
    match value:
        case bool() | None:
            return None
        case int():
            return value
        case float():
            return value if isfinite(value) else None
        case Decimal():
            return f"{value:f}" if value.is_finite() else None
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            micros = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
            text = f"{Decimal(micros).scaleb(-6):f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
    return None


def literal_words(values: Sequence[Any]) -> Words:
    """Return the constraint to these values of a Literal, sorted: their order means nothing. Of members of an enum all are none."""
    first = values[0]
    if isinstance(first, Enum):
        names = sorted({each.name for each in values})
        return {} if len(names) == len(type(first)) else {"enum": names}
    shown = {each.decode("latin-1") if isinstance(each, bytes) else each for each in values}
    return {"enum": sorted(shown)}


def loosest(one: Words, other: Words, place: Place) -> Words:
    """Return what holds of a value of which one of two constraints does: `Literal["a"] | str` is any text."""
    if not one or not other:
        return {}
    if one.keys() == other.keys() == {"enum"}:
        return {"enum": sorted({*one["enum"], *other["enum"]})}
    return one if one == other else {"validator": place.path}


def validated_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the fields, by their attributes, that a model has validators for."""
    found = model.__pydantic_decorators__
    fields = {name for each in found.field_validators.values() for name in each.info.fields}
    fields |= {name for each in found.validators.values() for name in each.info.fields}
    return frozenset(model.model_fields if "*" in fields else fields)


def validates(model: type[BaseModel]) -> bool:
    """Tell whether a model has code that may refuse its instances as a whole."""
    found = model.__pydantic_decorators__
    own: tuple[Callable[..., Any], ...] = tuple(
        vars(each)["model_post_init"]
        for each in model.__mro__
        if "model_post_init" in vars(each) and each is not BaseModel
    )
    written = any(each.__name__ == "model_post_init" and not _is_pydantics(each) for each in own)
    return bool(found.model_validators or found.root_validators or model.__pydantic_custom_init__ or written)


def _is_pydantics(function: Callable[..., Any]) -> bool:
    return (getattr(function, "__module__", "") or "").startswith("pydantic.")

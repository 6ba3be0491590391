"""Python types that are one Avro primitive, with or without a logical type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Final
from uuid import UUID

import pydantic
from pydantic.fields import FieldInfo

from stamp.schema import primitives
from stamp.schema.form import Form, Node
from stamp.schema.limits import MAX_PRECISION
from stamp.schema.place import Place

__all__ = ["NULL", "TEXTS", "URLS", "flat", "scalar"]

NULL: Final = Form("null", primitives.write_null, (type(None),))

_TIMESTAMP: Final = Form(
    {"type": "long", "logicalType": "timestamp-micros"}, primitives.write_timestamp, (datetime,), ordered=True
)
_LOCAL: Final = Form(
    {"type": "long", "logicalType": "local-timestamp-micros"},
    primitives.write_local_timestamp,
    (datetime,),
    ordered=True,
)
_DATE: Final = Form({"type": "int", "logicalType": "date"}, primitives.write_date, (date,), ordered=True)
_LONG: Final = Form("long", primitives.write_long, (int,), ordered=True)
_STRING: Final = Form("string", primitives.write_string, (str,), ordered=True)


def _text(parse: Callable[[str], Any], *types: type) -> Form:
    return Form("string", primitives.text(types, parse), types, revive=parse)


SCALARS: Final[Mapping[Any, Form]] = {
    None: NULL,
    type(None): NULL,
    bool: Form("boolean", primitives.write_boolean, (bool,), ordered=True),
    int: _LONG,
    pydantic.ByteSize: _LONG,
    float: Form("double", primitives.write_double, (float,)),
    str: _STRING,
    pydantic.EmailStr: _STRING,
    bytes: Form("bytes", primitives.write_bytes, (bytes,), ordered=True),
    datetime: _TIMESTAMP,
    pydantic.AwareDatetime: _TIMESTAMP,
    pydantic.PastDatetime: _TIMESTAMP,
    pydantic.FutureDatetime: _TIMESTAMP,
    pydantic.NaiveDatetime: _LOCAL,
    date: _DATE,
    pydantic.PastDate: _DATE,
    pydantic.FutureDate: _DATE,
    time: Form({"type": "long", "logicalType": "time-micros"}, primitives.write_time, (time,), ordered=True),
    timedelta: Form(
        {"type": "long", "logicalType": "timedelta-micros"}, primitives.write_timedelta, (timedelta,), ordered=True
    ),
    UUID: Form({"type": "string", "logicalType": "uuid"}, primitives.write_uuid, (UUID,), ordered=True),
    Decimal: Form("string", primitives.write_decimal_text, (Decimal,), revive=Decimal),
    **{
        each: _text(each, each)
        for each in (
            *(IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network),
            *(Path, PurePath, PurePosixPath),
        )
    },
    pydantic.IPvAnyAddress: _text(ip_address, IPv4Address, IPv6Address),
    pydantic.IPvAnyInterface: _text(ip_interface, IPv4Interface, IPv6Interface),
    pydantic.IPvAnyNetwork: _text(ip_network, IPv4Network, IPv6Network),
}
"""The form of each type that needs no more than its name; `datetime` means an instant."""

URLS: Final = (
    *(pydantic.AnyUrl, pydantic.PostgresDsn, pydantic.MySQLDsn, pydantic.MariaDBDsn, pydantic.ClickHouseDsn),
    *(pydantic.MongoDsn, pydantic.NatsDsn, pydantic.SnowflakeDsn),
)
"""Classes whose subclasses are text too."""

TEXTS: Final = (
    *(IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network),
    *(PurePath, *URLS),
)
"""The classes of values that are written as their text."""


def scalar(annotation: Any, metadata: Iterable[Any], place: Place) -> Form | None:
    """Return the form of an annotation that is one value; None when it is something else.

    Of the constraints in `metadata` only those count that decide between two Avro types: a bound on a value never changes how
    it is written.
    """
    if isinstance(annotation, type) and issubclass(annotation, URLS):
        return _text(annotation, annotation)
    try:
        form = SCALARS.get(annotation)
    except TypeError:  # an annotation that cannot be hashed
        return None
    if annotation is Decimal:
        form = _decimal(list(metadata), place) or form
    elif annotation is datetime and any(each is pydantic.NaiveDatetime for each in metadata):
        form = _LOCAL
    return replace(form, schema=Node(form.schema)) if form and isinstance(form.schema, dict) else form


def _decimal(metadata: list[Any], place: Place) -> Form | None:
    precision, scale = (_last(metadata, name) for name in ("max_digits", "decimal_places"))
    if precision is None or scale is None:
        return None
    if not 0 <= scale <= precision or not precision:
        raise place.error(
            f"expected max_digits of at least 1 and of at least decimal_places, got {precision} and {scale}"
        )
    if precision > MAX_PRECISION:  # readers would see bytes
        raise place.error(f"expected a decimal with a precision of 1 to {MAX_PRECISION}, got {precision}")
    schema = {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
    return Form(schema, primitives.decimal(precision, scale), (Decimal,), ordered=True)


def _last(metadata: list[Any], name: str) -> Any:
    return next((value for each in reversed(metadata) if (value := getattr(each, name, None)) is not None), None)


def flat(metadata: Iterable[Any]) -> Iterator[Any]:
    """Yield what `metadata` consists of, taking apart each `Field(...)` in it."""
    for each in metadata:
        if isinstance(each, FieldInfo):
            yield from flat(each.metadata)
        elif each is not None:
            yield each

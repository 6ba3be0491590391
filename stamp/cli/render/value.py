"""Values of contributions as short text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from stamp.cli.render.visible import visible

__all__ = ["key_fields", "moment", "short", "value_text"]


def value_text(value: Any) -> str:
    """Return a datum for people, on one line: texts without quotes where they can do without."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return visible(value) if value.strip() == value != "" else f'"{visible(value)}"'
        case Mapping():
            return f"{{{', '.join(f'{visible(key)}: {value_text(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(value_text, value))}]"
        case bytes():
            return value.hex()
        case datetime():
            return moment(value)
        case Decimal():
            return f"{value:f}"
        case _:
            return visible(str(value))


def moment(time: datetime) -> str:
    """Return a point in time, without a zone if it has none."""
    if time.tzinfo is None:
        return time.isoformat(" ")
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(' ')} UTC"


def short(text: str, longest: int) -> str:
    """Return text of at most `longest` characters; what is cut off is marked."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


SCALARS = (bool, int, float, str, Decimal, timedelta)


def key_fields(data: Mapping[str, Any]) -> str:
    """Return the fields of a contribution that say much in few letters."""
    texts = ((visible(name), value_text(value)) for name, value in data.items() if isinstance(value, SCALARS))
    return " ".join(f"{name}={short(text, 32)}" for name, text in texts)

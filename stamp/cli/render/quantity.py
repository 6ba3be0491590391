"""Numbers with their units, for people."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

__all__ = ["counted", "duration", "size"]


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 bad line` or `1,200 bad lines`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: int) -> str:
    """Return a number of bytes."""
    return counted(number, "byte")


_SHORT: Final = ((1_000, 1, "µs"), (999_500, 1_000, "ms"), (60_000_000, 1_000_000, "s"))
_LONG: Final = ((3_600, 60, "min", 1, "s"), (86_400, 3_600, "h", 60, "min"), (None, 86_400, "d", 3_600, "h"))


def duration(time: timedelta) -> str:
    """Return a time with three digits or two units: `340 µs`, `1.45 ms`, `2 min 3 s`, `4 d 0 h`; a negative one with its sign."""
    micros = abs(time) // timedelta(microseconds=1)
    sign = "-" if time < timedelta() else ""
    if not micros:
        return "0"
    for below, unit, name in _SHORT:
        if micros < below:
            return f"{sign}{_three_digits(micros / unit)} {name}"
    seconds = micros // 1_000_000
    unit, name, part, part_name = next(each[1:] for each in _LONG if each[0] is None or seconds < each[0])
    return f"{sign}{seconds // unit} {name} {seconds % unit // part} {part_name}"


def _three_digits(number: float) -> str:
    if number >= 100 or number == int(number):
        return f"{number:.0f}"
    return f"{number:.2f}" if number < 10 else f"{number:.1f}"

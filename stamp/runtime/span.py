"""From where to where a setting may go."""

from __future__ import annotations

from typing import Final, NamedTuple

from stamp.errors import InputError

__all__ = ["BYTES", "DEATHS", "HANDLERS", "MESSAGES", "SECONDS", "Span"]

LONGEST: Final = 60
"""Letters of a value that an error repeats."""


class Span(NamedTuple):
    """Numbers from `least` to `most`, whole ones if `is_whole`."""

    least: float
    most: float
    is_whole: bool = False

    def check(self, value: object, path: str) -> None:
        """Refuse what is no such number.

        Raises:
            InputError: it is none; NaN, and True and False, are none either.
        """
        kinds = (int,) if self.is_whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self.least <= value <= self.most:
            kind = "a whole number" if self.is_whole else "a number"
            text = f"expected {kind} from {self.least:,} to {self.most:,}, got {_shown(value)}"
            raise InputError(text, path=path)


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of so many digits
        return "one of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


SECONDS: Final = Span(0.001, 10 * 365 * 24 * 3600)
"""From a millisecond to ten years: databases keep times in 64 bits, and nobody waits longer."""
HANDLERS: Final = Span(1, 1_000, is_whole=True)
"""Each has a thread, and a connection to the database."""
MESSAGES: Final = Span(1, 65_535, is_whole=True)
"""As many as AMQP lets a consumer have."""
BYTES: Final = Span(1, 2**40, is_whole=True)
"""More than any machine has is no bound. One message is always taken, however large it is."""
DEATHS: Final = Span(1, 1_000_000, is_whole=True)
"""Attempts are counted in 32 bits."""

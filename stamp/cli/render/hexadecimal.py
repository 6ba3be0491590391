"""Bytes for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from stamp.cli.render.quantity import counted

__all__ = ["dump"]

SHOWN: Final = 256
"""How many bytes are shown."""

ROW: Final = 16


def dump(data: bytes) -> Text:
    """Return bytes in rows: where each begins, in hexadecimal, and as letters where they are some in ASCII."""
    return Text("\n".join(_rows(data)))


def _rows(data: bytes) -> Iterator[str]:
    for begin in range(0, min(len(data), SHOWN), ROW):
        row = data[begin : min(begin + ROW, SHOWN)]
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"  {begin:06x}  {row.hex(' '):<{3 * ROW - 1}}  {letters}"
    if len(data) > SHOWN:
        yield f"  ... and {counted(len(data) - SHOWN, 'byte')} more"

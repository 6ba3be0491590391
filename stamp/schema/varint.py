"""Avro's numbers of variable length (Avro 1.12, "Primitive Types"): zigzag, then 7 bits a byte, the lowest first."""

from __future__ import annotations

from typing import Final

from stamp.errors import EncodeError

__all__ = ["sized", "zigzag"]


def _unsigned(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


_SMALL: Final = tuple(_unsigned(number << 1) for number in range(2048))
"""The encoded numbers from 0: most lengths are among them."""


def zigzag(number: int) -> bytes:
    """Return an Avro int or long.

    Raises:
        EncodeError: the number has more than 64 bits.
    """
    if 0 <= number < 2048:
        return _SMALL[number]
    if 1 << 48 <= number < 1 << 55:  # eight bytes, as every timestamp of our time has: spread out at once
        number <<= 1
        number += (number & 0xFFFFFFF0000000) * 15
        number += (number & 0xFFFC0000FFFC000) * 3
        number += number & 0x3F803F803F803F80
        return (number | 0x80808080808080).to_bytes(8, "little")
    if not -(1 << 63) <= number < 1 << 63:
        raise EncodeError(f"expected an integer of 64 bits, got {number}")
    return _unsigned(number << 1 ^ number >> 63)


def sized(data: bytes) -> bytes:
    """Return Avro bytes, or a string whose UTF-8 is `data`: the length, then the data."""
    length = len(data)
    return (_SMALL[length] if length < 2048 else zigzag(length)) + data

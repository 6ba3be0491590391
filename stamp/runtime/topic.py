"""AMQP topic rules (AMQP 0-9-1, section 3.1.3.3).

A routing key is a list of words between dots. In a pattern `*` stands for exactly one word, `#` for any number of words, also none.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["matches"]


def matches(pattern: str, key: str) -> bool:
    """Tell whether a binding with `pattern` takes what is published with the routing key `key`."""
    return pattern == key or _match(_words(pattern), _words(key))


def _words(text: str) -> list[str]:
    """Split at the dots; an empty text has no words at all, as in RabbitMQ."""
    return text.split(".") if text else []


def _match(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Match from left to right; at a mismatch let the last `#` take one word more.

    An earlier `#` never has to be tried again: whatever it could leave over, the later one can skip too.
    """
    here = there = 0
    after_hash = taken = -1
    while there < len(words):
        expected = pattern[here] if here < len(pattern) else None
        if expected == "#":
            here += 1
            after_hash, taken = here, there
        elif expected in ("*", words[there]):
            here, there = here + 1, there + 1
        elif after_hash >= 0:
            taken += 1
            here, there = after_hash, taken
        else:
            return False
    return all(word == "#" for word in pattern[here:])

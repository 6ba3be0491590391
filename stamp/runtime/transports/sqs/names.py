"""Names of queues: Amazon knows neither dots nor long ones."""

from __future__ import annotations

from typing import Final

from stamp.errors import InputError

__all__ = ["name_of"]

SEPARATOR: Final = "--"
FIFO: Final = ".fifo"
LONGEST: Final = 80


def name_of(queue: str, prefix: str = "") -> str:
    """Return Amazon's name of `queue`: `ticket.billing` is `ticket--billing.fifo`.

    Raises:
        InputError: there is no such name, or another queue would have it, too.
    """
    parts = [prefix, *queue.split(".")] if prefix else queue.split(".")
    name = SEPARATOR.join(parts) + FIFO
    if any(SEPARATOR in part or part.startswith("-") or part.endswith("-") for part in parts):
        raise InputError(
            f"expected names without '{SEPARATOR}', and without '-' at their ends, for queues on SQS, got {queue!r}"
        )
    if not all(part.isascii() and part.replace("-", "").replace("_", "").isalnum() for part in parts):
        raise InputError(f"expected names of letters, digits, '-' and '_' for queues on SQS, got {'.'.join(parts)!r}")
    if len(name) > LONGEST:
        raise InputError(
            f"expected at most {LONGEST} characters for the name of a queue on SQS, got {name!r}, {len(name)}"
        )
    return name

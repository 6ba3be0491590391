"""How a handler says that its work cannot succeed."""

from __future__ import annotations

from typing import Final

__all__ = ["Fail", "told", "withheld"]

MAX_TOLD: Final = 16_000
"""How many characters of a failure the log tells."""


class Fail(Exception):  # noqa: N818 - `raise Fail(...)` is what a handler says
    """Raised by a handler: a business failure, which no retry will mend.

    The step's failure event is published with the outcome FAILED; `message` and `detail` (short texts by name) go with it, as a
    `stamp.Failure` that any later step can read. What is given is made text that can be sent, whatever it is: to refuse a failure
    would turn it into a message that is tried again and again.
    """

    def __init__(self, message: object, /, **detail: object) -> None:
        self.message = _text(message)
        self.detail = {_text(name): _text(value) for name, value in detail.items()}
        super().__init__(self.message)


def told(failure: Fail) -> str:
    """Return on one line all that a failure says, as far as somebody would read."""
    said = "".join(f", {name}={value}" for name, value in failure.detail.items())
    return f"{type(failure).__name__}: {failure.message}{said}"[:MAX_TOLD]


def withheld(event_id: bytes) -> str:
    """Return what is told in place of the text of an error that one event caused: where the text is."""
    return f"withheld: the log of the worker says it, with the event id {event_id.hex()}"


def _text(value: object) -> str:
    """Return `str(value)`, with `?` for half a surrogate pair, which has no UTF-8."""
    return str(value).encode(errors="replace").decode()

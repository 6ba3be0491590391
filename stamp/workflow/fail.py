"""How a handler says that its work cannot succeed."""

from __future__ import annotations

__all__ = ["Fail"]


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


def _text(value: object) -> str:
    """Return `str(value)`, with `?` for half a surrogate pair, which has no UTF-8."""
    return str(value).encode(errors="replace").decode()

"""How a handler says that its work cannot succeed."""

from __future__ import annotations

__all__ = ["Fail"]


class Fail(Exception):  # noqa: N818 - `raise Fail(...)` is what a handler says
    """Raised by a handler: a business failure, which no retry will mend.

    The step's failure event is published with the outcome FAILED; `message` and `detail` (short texts by name) go with it, as a
    `stamp.Failure` that any later step can read.
    """

    def __init__(self, message: str, **detail: str) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

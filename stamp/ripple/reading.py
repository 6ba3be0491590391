"""A reading: data of what one step writes, given to the model through which another one reads them. What the model is, nobody here knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

__all__ = ["Attempt", "Reading", "Refusal"]


class Refusal(NamedTuple):
    """What a model has against a datum: the path in it, and why."""

    path: str
    text: str


class Attempt(NamedTuple):
    """What a reading makes of data of one schema. `refuse` says what the reader's model has against data, in Avro binary.

    Where the code of the writer is there too, as `is_written` tells, data that its own model refuses are not tried: nobody writes them.
    """

    refuse: Callable[[bytes], Refusal | None]
    is_written: bool


class Reading(Protocol):
    """The model of the view of one step of another one's contributions."""

    @property
    def workflow(self) -> str:
        """The workflow of both steps."""

    @property
    def reader(self) -> str:
        """The step that reads."""

    @property
    def producer(self) -> str:
        """The step whose contributions it reads."""

    def attempt(self, schema: Any) -> Attempt:
        """Return what becomes of data of a writer schema."""

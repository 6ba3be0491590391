"""A step: what it listens to, reads, writes and emits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel

from stamp.envelope.failure import Failure
from stamp.schema.identity import SchemaId
from stamp.schema.lint import lint
from stamp.schema.model import bind
from stamp.schema.refusals import check_written
from stamp.schema.varint import sized
from stamp.schema.view import View

__all__ = ["Emission", "From", "Read", "Step"]


@dataclass(frozen=True, slots=True)
class From:
    """Names the step that a parameter reads, where the parameter has another name: `Annotated[Ticket, From("ticket")]`."""

    step: str


class Read:
    """One view of a step: the parameter that gets it, the step that wrote it, and whether it may be absent."""

    __slots__ = ("is_failure", "key", "optional", "parameter", "step", "view")

    def __init__(self, parameter: str, step: str, view: View[BaseModel], *, optional: bool) -> None:
        self.parameter, self.step, self.view, self.optional = parameter, step, view, optional
        self.key: Final = sized(step.encode())
        self.is_failure: Final = issubclass(view.model, Failure)


class Emission:
    """One outcome of a step: the record that it writes, and the events that are published with it, each with its encoded name."""

    __slots__ = ("binding", "events", "model", "namespace", "opening", "schema_id")

    def __init__(self, step: str, model: type[BaseModel], namespace: str, events: tuple[str, ...]) -> None:
        self.model, self.namespace = model, namespace
        self.events: Final = tuple((event, sized(event.encode())) for event in events)
        self.binding: Final = bind(model, namespace=namespace)
        check_written(model)
        lint(self.binding.schema)  # no recursion: a contract could not hold it
        self.schema_id: Final = SchemaId.of(self.binding.schema)
        self.opening: Final = sized(step.encode()) + self.schema_id


@dataclass(frozen=True, kw_only=True)
class Step:
    """One participant of a workflow. The step that starts it listens to nothing and has no handler.

    `emissions` are by model. `fails` is its failure event, `ends` those of its events after which nothing is expected. `place` is
    where it is defined, as `file` and `line` of an error.
    """

    name: str
    on: tuple[str, ...]
    emissions: Mapping[type[BaseModel], Emission]
    failure: Emission
    ends: tuple[str, ...]
    reads: tuple[Read, ...]
    handler: Callable[..., Any] | None
    is_async: bool
    returns_none: bool
    context: str | None
    place: Mapping[str, Any]

    @cached_property
    def key(self) -> bytes:
        """The encoded name."""
        return sized(self.name.encode())

    @cached_property
    def reads_of(self) -> tuple[bytes, ...]:
        """The encoded names of the steps that are read."""
        return tuple({read.key for read in self.reads})

    @property
    def emits(self) -> tuple[str, ...]:
        """Every event that the step publishes when its work succeeds."""
        return tuple(event for emission in self.emissions.values() for event, _ in emission.events)

    @property
    def fails(self) -> str:
        """The event that the step publishes when its work fails."""
        return self.failure.events[0][0]

"""The definition of a step: whether its events, models and views go together. Nothing of other steps is looked at."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel

from stamp.envelope.failure import Failure
from stamp.errors import StampError, WorkflowError
from stamp.workflow.names import is_event_name, is_step_name
from stamp.workflow.signature import Signature
from stamp.workflow.step import Emission, Step

__all__ = ["Definition", "Emits", "Events", "step_namespace"]

# not Iterable: a dict literal is one too, and type checkers would read `{Model: event}` as such
Events: TypeAlias = str | Sequence[str]
Emits: TypeAlias = Events | Mapping[type[BaseModel], Events]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What is said of a step where it is defined, as `Workflow.step` and `Workflow.starts` take it.

    `place` is where that is, as `file` and `line` of an error.
    """

    name: str
    on: Events = ()
    emits: Emits = ()
    fails: str | None = None
    ends: Events = ()
    handler: Callable[..., Any] | None = None
    place: Mapping[str, Any]

    def step(self, said: Signature, namespace: str) -> Step:
        """Return the step, with what its signature says. `namespace` is that of the workflow's records.

        Raises:
            WorkflowError: something in the definition contradicts itself, or cannot be.
        """
        try:
            return self._step(said, namespace)
        except WorkflowError as error:
            raise WorkflowError(error.message, path=str(self.name), **self.place) from error.__cause__

    def _step(self, said: Signature, namespace: str) -> Step:
        if not is_step_name(self.name):
            text = (
                "expected the name of a step: up to 100 ASCII letters, digits, `_` and `-`, no digit first, not `stamp`"
            )
            raise WorkflowError(f"{text}; got {self.name!r}")
        name = str.__str__(self.name)
        events = _outcomes(said, self.emits)
        step = Step(
            name=name,
            on=_event_names(self.on, "on"),
            emissions=_emissions(name, events, namespace),
            failure=Emission(name, Failure, "stamp", _one_event(self.fails or f"{name}.failed", "fails")),
            ends=_event_names(self.ends, "ends"),
            reads=said.reads,
            handler=self.handler,
            is_async=inspect.iscoroutinefunction(self.handler),
            returns_none=said.returns_none,
            context=said.context,
            place=self.place,
        )
        for mistake in _mistakes(step):
            raise WorkflowError(mistake)
        return step


def step_namespace(namespace: str, step: str) -> str:
    """Return the namespace of the records of a step, within that of its workflow."""
    own = step.replace("-", "_")
    return f"{namespace}.{own}" if namespace else own


def _emissions(
    name: str, events: Mapping[type[BaseModel], tuple[str, ...]], namespace: str
) -> dict[type[BaseModel], Emission]:
    own = step_namespace(namespace, name)
    try:
        return {model: Emission(name, model, own, published) for model, published in events.items()}
    except StampError as error:
        raise WorkflowError(f"what the step writes cannot be an Avro record: {error}") from error


def _event_names(given: object, argument: str) -> tuple[str, ...]:
    """Return the events that an argument of a definition gives, one or several."""
    names = given if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    events = []
    for name in names:
        if not isinstance(name, str) or not is_event_name(name):
            text = (
                f"expected names of events in `{argument}`, words of ASCII letters, digits, `_` and `-`, joined by dots"
            )
            raise WorkflowError(f"{text}, got {name!r}")
        events.append(str.__str__(name))  # plain text, also of the member of an enum
    for name, count in Counter(events).items():
        if count > 1:
            raise WorkflowError(f"expected each event once in `{argument}`, got {name!r} {count} times")
    return tuple(events)


def _one_event(given: object, argument: str) -> tuple[str, ...]:
    events = _event_names(given, argument)
    if len(events) != 1:
        raise WorkflowError(f"expected one event in `{argument}`, got {given!r}")
    return events


def _outcomes(said: Signature, emits: Emits) -> dict[type[BaseModel], tuple[str, ...]]:
    """Return the events of each model that a step writes."""
    if isinstance(emits, Mapping):
        _check_models(said.writes, emits)
        events = {model: _event_names(published, "emits") for model, published in emits.items()}
    elif len(said.writes) > 1:
        wanted = ", ".join(f"{_name(model)}: event" for model in said.writes)
        text = f"it returns one of several models: expected `emits={{{wanted}}}`, which gives each its event"
        raise WorkflowError(f"{text}, got {emits!r}")
    else:
        published = _event_names(emits, "emits")
        if published and not said.writes:
            text = "expected no `emits`, as the return annotation says that nothing is written"
            raise WorkflowError(f"{text}, got {_quoted(published)}: annotate the model that it returns")
        events = dict.fromkeys(said.writes, published)
    for mistake in _contradictions(said.writes, events):
        raise WorkflowError(mistake)
    return events


def _check_models(returned: Sequence[type[BaseModel]], emits: Mapping[type[BaseModel], Events]) -> None:
    for model in emits:
        if model not in returned:
            known = " or ".join(map(_name, returned)) or "none"
            text = f"expected `emits={{Model: event}}` with the models of the return annotation ({known})"
            raise WorkflowError(f"{text}, got {_name(model)}")


def _contradictions(
    returned: Sequence[type[BaseModel]], events: Mapping[type[BaseModel], tuple[str, ...]]
) -> Iterator[str]:
    for model in returned:
        if not events.get(model):
            yield f"expected an event in `emits` for {_name(model)}, which it returns, got none"
        if issubclass(model, Failure):
            yield f"expected a model of its own to be returned, got {_name(model)}: a failure is raised, `raise Fail(...)`"
    taken: dict[str, type[BaseModel]] = {}
    for model, published in events.items():
        for event in published:
            other = taken.setdefault(event, model)
            if other is not model:
                text = f"expected one model for each event, got {_name(other)} and {_name(model)} for {event!r}"
                yield f"{text}: who hears an event knows by it what was written"


def _mistakes(step: Step) -> Iterator[str]:
    if step.handler is not None and not step.on:
        yield "expected an event in `on`, which triggers the step, got none"
    if step.handler is None and len(step.emits) != 1:
        yield f"expected one event in `emits`, with which a run starts, got {_quoted(step.emits)}"
    if step.fails in step.emits:
        yield f"expected in `fails` an event that is not one of success, got {step.fails!r}, which is in `emits` too"
    for event in step.ends:
        if event not in {*step.emits, step.fails}:
            yield f"expected in `ends` events that it publishes ({_quoted((*step.emits, step.fails))}), got {event!r}"
    records = Counter(emission.binding.schema["name"] for emission in step.emissions.values())
    for name, count in records.items():
        if count > 1:
            yield f"expected records of different names, got {count} models called {name}: rename one of them"
    views = Counter((read.step, read.is_failure) for read in step.reads)
    for (producer, _), count in views.items():
        if count > 1:
            yield f"expected one view of the step {producer!r}, got {count}"


def _name(model: object) -> str:
    return getattr(model, "__name__", None) or repr(model)


def _quoted(events: Iterable[str]) -> str:
    return ", ".join(map(repr, events))

"""A workflow as one service sees it: its steps, and one hop of each."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from stamp.envelope import wire
from stamp.envelope.contribution import assemble, event_id
from stamp.envelope.envelope import BUILTIN
from stamp.envelope.failure import Failure
from stamp.envelope.limits import LIMITS, Limits
from stamp.errors import StampError, WorkflowError
from stamp.schema.catalog import Catalog
from stamp.workflow import hop
from stamp.workflow.contract import StepContract, read_contracts
from stamp.workflow.fail import Fail
from stamp.workflow.names import is_event_name, is_step_name, is_workflow_name
from stamp.workflow.outgoing import Outgoing, headers
from stamp.workflow.settings import contracts_folder
from stamp.workflow.signature import Signature, place_of, signature
from stamp.workflow.step import Emission, Step
from stamp.workflow.wiring import problems

__all__ = ["Workflow"]

F = TypeVar("F", bound=Callable[..., Any])
# not Iterable: a dict literal is one too, and type checkers would read `{Model: event}` as such
Events = str | Sequence[str]


def system_clock() -> int:
    """Return the time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


class Workflow:
    """A named choreography, and the steps of it that live in this process.

    `contracts` is the folder with the contracts of all its steps, those of other services included; by default what the settings
    say (`./schemas`). `namespace` is that of the Avro records (default: the name). `clock` gives microseconds since 1970 UTC.

    Raises:
        WorkflowError: the name cannot be used for folders, exchanges and queues.
    """

    def __init__(
        self,
        name: str,
        *,
        namespace: str | None = None,
        contracts: str | Path | None = None,
        clock: Callable[[], int] = system_clock,
        limits: Limits = LIMITS,
    ) -> None:
        if not is_workflow_name(name):
            raise WorkflowError(
                f"expected a workflow name of ASCII letters, digits, `_` and `-`, other than `stamp`, got {name!r}"
            )
        self.name: Final = name
        self.namespace: Final = name.replace("-", "_") if namespace is None else namespace
        self.clock = clock
        self.limits = limits
        self._folder = contracts
        self._steps: dict[str, Step] = {}
        self._catalog: Catalog | None = None
        self._terms: hop.Terms | None = None

    def with_clock(self, clock: Callable[[], int]) -> Workflow:
        """Return this workflow as it is now, with another clock."""
        other = copy(self)
        vars(other).update(_steps=dict(self._steps), clock=clock)
        return other

    def with_contracts(self, folder: str | Path) -> Workflow:
        """Return this workflow as it is now, with its contracts in another folder."""
        other = copy(self)
        vars(other).update(_steps=dict(self._steps), _folder=folder, _catalog=None)
        return other

    def __repr__(self) -> str:
        return f"<Workflow {self.name}: {', '.join(self._steps) or 'no steps'}>"

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps that are defined here, in the order of their definition."""
        return MappingProxyType(self._steps)

    @property
    def contracts_folder(self) -> Path:
        """The folder in which the contracts are looked for."""
        return contracts_folder() if self._folder is None else Path(self._folder)

    def contracts(self) -> Mapping[str, StepContract]:
        """Return the contracts of this workflow by step, as the folder has them; none when there is no folder.

        Raises:
            ContractError: the folder is not in order.
        """
        folder = self.contracts_folder
        found = read_contracts(folder, workflow=self.name) if folder.is_dir() else {}
        return {step: contract for (_, step), contract in found.items()}

    def writes(self, step: str) -> list[Mapping[str, Any]]:
        """Return the schemas of what a step writes now, be it defined here or in the contracts; none when nobody knows it."""
        if step in self._steps:
            return [emission.binding.schema for emission in self._steps[step].emissions.values()]
        contract = self.contracts().get(step)
        return (
            []
            if contract is None
            else [contract.latest(name).schema for name in dict.fromkeys(contract.emits.values())]
        )

    def check(self) -> None:
        """Accept the workflow as a whole, with the contracts of the steps that live elsewhere.

        Raises:
            WorkflowError: a view of a step that nobody declares, or that cannot read what it writes; an event that nothing leads to.
        """
        for problem in problems(self._steps, self.contracts()):
            raise problem

    @property
    def catalog(self) -> Catalog:
        """The writer schemas of this workflow: of the contracts folder, and of the steps that are defined here."""
        if self._catalog is None:
            folder = self.contracts_folder
            found = Catalog.from_folder(folder, workflow=self.name) if folder.is_dir() else Catalog()
            catalog = found.merged(BUILTIN)
            for step in self._steps.values():
                for emission in step.emissions.values():
                    catalog = catalog.with_schema(emission.binding.schema)
            self._catalog = catalog
        return self._catalog

    # -- definition

    def starts(self, name: str, model: type[BaseModel], *, emits: str, ends: Events = ()) -> None:
        """Declare the starting step: what it writes, and the event that begins a run.

        Raises:
            WorkflowError: the name is taken or not usable, or the model cannot be an Avro record.
        """
        caller = sys._getframe(1)  # noqa: SLF001 - where the definition stands, for its errors
        place = {"file": caller.f_code.co_filename, "line": caller.f_lineno}
        said = Signature((), (model,), returns_none=False, context=None)
        self._add(name, said, on=(), emits=emits, fails=None, ends=ends, handler=None, place=place)

    def step(
        self,
        *,
        on: Events,
        emits: Events | Mapping[type[BaseModel], Events] = (),
        name: str | None = None,
        fails: str | None = None,
        ends: Events = (),
    ) -> Callable[[F], F]:
        """Declare the decorated function as the handler of a step; it stays callable as it is.

        Parameters are views, named after the step that wrote what they read (or `Annotated[View, From("step")]`); `View | None` may
        be absent; a `StepContext` gets the circumstances. The return annotation is what the step writes.

        Args:
            on: the events that trigger the step.
            emits: the events that are published with its result; with several outcomes `{Model: event}`. None: nothing is.
            name: the step's name, by default the function's.
            fails: the event of a failure, by default `<step>.failed`.
            ends: those of the emitted events after which nothing is expected.

        Raises:
            WorkflowError: the definition contradicts itself; it names the function's file and line.
        """
        names = sys._getframe(1).f_locals  # noqa: SLF001 - models of a function are no globals of its module

        def declare(function: F) -> F:
            said = signature(function, names)
            place = place_of(function)
            self._add(
                name or function.__name__,
                said,
                on=on,
                emits=emits,
                fails=fails,
                ends=ends,
                handler=function,
                place=place,
            )
            return function

        return declare

    def _add(
        self,
        name: str,
        said: Signature,
        *,
        on: Events,
        emits: Events | Mapping[type[BaseModel], Events],
        fails: str | None,
        ends: Events,
        handler: Callable[..., Any] | None,
        place: Mapping[str, Any],
    ) -> None:
        if not is_step_name(name):
            raise WorkflowError(f"expected a step name of ASCII letters, digits, `_` and `-`, got {name!r}", **place)
        if name in self._steps:
            other = self._steps[name].place
            raise WorkflowError(
                f"the step {name!r} is defined already, at {other['file']}:{other['line']}", path=self.name, **place
            )
        events = _by_model(name, said, emits, place)
        namespace = f"{self.namespace}.{name.replace('-', '_')}"
        try:
            emissions = {model: Emission(name, model, namespace, published) for model, published in events.items()}
        except StampError as error:
            raise WorkflowError(f"what the step {name!r} writes cannot be an Avro record: {error}", **place) from error
        failure = Emission(name, Failure, "stamp", (fails or f"{name}.failed",))
        step = Step(
            name=name,
            on=_names(on),
            emissions=emissions,
            failure=failure,
            ends=_names(ends),
            reads=said.reads,
            handler=handler,
            is_async=asyncio.iscoroutinefunction(handler),
            returns_none=said.returns_none,
            context=said.context,
            place=place,
        )
        _check_events(step)
        self._steps[name] = step
        self._catalog = self._terms = None

    # -- one hop

    def start(
        self,
        first: BaseModel,
        *,
        workflow_id: str,
        attributes: Mapping[str, str] | None = None,
        step: str | None = None,
    ) -> Outgoing:
        """Return the first event of a run, ready to publish. Nothing is published here.

        Args:
            first: what the starting step writes.
            workflow_id: which run this is. The same id gives the same event id: publishing it twice starts one run.
            attributes: what every later step may know of the run: tenant, `deadline` (ISO 8601), `traceparent`.
            step: the starting step, when several write this model.

        Raises:
            WorkflowError: no starting step writes this model.
            EncodeError: the model's values do not fit its schema.
        """
        starting = self._starting(type(first), step)
        emission = starting.emissions[type(first)]
        now, (event, key) = self.clock(), emission.events[0]
        header = wire.Header(self.name, workflow_id, now, dict(attributes or {}))
        id_ = event_id(self.name, workflow_id, starting.name, ())
        item = assemble(emission.opening, emission.binding.encode(first), key + id_, (), times=(now, now))
        body = wire.append(wire.begin(header), item, self.limits)
        return Outgoing(event, body, headers(header, starting.name, event, event_id=id_, causes=(), completed_at=now))

    def process(self, step: str, body: bytes, *, attempt: int = 1, received_at: int | None = None) -> list[Outgoing]:
        """Return what `step` publishes in answer to the event whose body this is: one hop, bytes in and bytes out.

        `attempt` counts from 1; `received_at` (microseconds since 1970 UTC) is now unless the message waited in this process.

        Raises:
            WorkflowError: there is no such step, or the event is not for it. HandlerError, MissingContributionError likewise.
            WireError, SchemaError: the body cannot be read. EncodeError, LimitError: the answer cannot be written.
            Whatever else the handler raises, except `Fail`, which becomes the step's failure event.
        """
        taken = self._step(step)
        work = self._receive(taken, body, attempt, received_at)
        try:
            result = taken.handler(**work.arguments)  # type: ignore[misc]
            if taken.is_async:
                result = _run(result, taken)
        except Fail as failure:
            result = failure
        return hop.publish(taken, work, result, completed_at=self.clock(), limits=self.limits)

    async def aprocess(
        self, step: str, body: bytes, *, attempt: int = 1, received_at: int | None = None
    ) -> list[Outgoing]:
        """Return what `process` does, for callers on an event loop: a handler that is `async def` is awaited."""
        taken = self._step(step)
        work = self._receive(taken, body, attempt, received_at)
        try:
            result = taken.handler(**work.arguments)  # type: ignore[misc]
            if taken.is_async:
                result = await result
        except Fail as failure:
            result = failure
        return hop.publish(taken, work, result, completed_at=self.clock(), limits=self.limits)

    def _receive(self, step: Step, body: bytes, attempt: int, received_at: int | None) -> hop.Work:
        if self._terms is None:
            self._terms = hop.Terms(self.name, self.catalog, self.limits)
        now = self.clock() if received_at is None else received_at
        return hop.receive(step, body, self._terms, received_at=now, attempt=attempt)

    def _step(self, name: str) -> Step:
        step = self._steps.get(name)
        if step is None or step.handler is None:
            known = ", ".join(each.name for each in self._steps.values() if each.handler) or "none"
            raise WorkflowError(f"expected a step with a handler ({known}), got {name!r}", path=self.name)
        return step

    def _starting(self, model: type[BaseModel], name: str | None) -> Step:
        starting = [each for each in self._steps.values() if each.handler is None]
        fitting = [each for each in starting if model in each.emissions and name in {None, each.name}]
        if len(fitting) != 1:
            known = (
                ", ".join(f"{each.name} ({' | '.join(m.__name__ for m in each.emissions)})" for each in starting)
                or "none"
            )
            raise WorkflowError(
                f"expected what one starting step writes ({known}), got a {model.__name__}", path=self.name
            )
        return fitting[0]


def _run(coroutine: Any, step: Step) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    coroutine.close()
    raise WorkflowError(
        "an async handler was called on a running event loop: await `aprocess` instead", path=step.name, **step.place
    )


def _names(events: Events) -> tuple[str, ...]:
    return (events,) if isinstance(events, str) else tuple(events)


def _by_model(
    name: str, said: Signature, emits: Events | Mapping[type[BaseModel], Events], place: Mapping[str, Any]
) -> dict[type[BaseModel], tuple[str, ...]]:
    """Return the events of each model that a step writes."""
    if isinstance(emits, Mapping):
        events = {model: _names(published) for model, published in emits.items()}
    elif len(said.writes) > 1:
        raise WorkflowError(
            f"{name} returns one of several models: expected `emits={{Model: event}}`, got {emits!r}", **place
        )
    else:
        events = {model: _names(emits) for model in said.writes}
        if emits and not events:
            raise WorkflowError(
                f"{name} emits {emits!r} but its return annotation says that it writes nothing", **place
            )
    returned, emitted = [{model.__name__ for model in models} for models in (said.writes, events)]
    if set(said.writes) != set(events) or not all(events.values()):
        raise WorkflowError(
            f"expected an event for each model that {name} returns ({returned}), got {emitted}", **place
        )
    return events


def _check_events(step: Step) -> None:
    for event in (*step.on, *step.emits, step.fails):
        if not is_event_name(event):
            raise WorkflowError(
                f"expected event names of ASCII letters, digits, `_`, `-` and dots, got {event!r}",
                path=step.name,
                **step.place,
            )
    if step.handler is not None and not step.on:
        raise WorkflowError("expected an event that the step listens to, got none", path=step.name, **step.place)
    for event in step.ends:
        if event not in {*step.emits, step.fails}:
            raise WorkflowError(
                f"expected `ends` among the events that it emits, got {event!r}", path=step.name, **step.place
            )
    read = [each.step for each in step.reads if not each.is_failure]
    for name in read:
        if read.count(name) > 1:
            raise WorkflowError(
                f"expected one view of the step {name!r}, got {read.count(name)}", path=step.name, **step.place
            )

"""A workflow as one service sees it: its steps, and one hop of each."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from stamp.envelope.envelope import BUILTIN, Envelope
from stamp.envelope.limits import LIMITS, Limits
from stamp.errors import StampError, UnknownSchemaError, UnresolvedError, WorkflowError
from stamp.schema.catalog import Catalog
from stamp.schema.identity import SchemaId
from stamp.schema.names import is_namespace
from stamp.schema.source import FolderSource, SchemaSource
from stamp.workflow import hop
from stamp.workflow.contract import StepContract, read_contracts
from stamp.workflow.definition import Definition, Emits, Events
from stamp.workflow.fail import Fail, told
from stamp.workflow.first import first_event, header
from stamp.workflow.names import is_workflow_name
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.parts import check_parts, steps_of
from stamp.workflow.progress import Progress, progress
from stamp.workflow.settings import contracts_folder
from stamp.workflow.signature import Signature, is_model, place_of, signature
from stamp.workflow.step import Step
from stamp.workflow.wiring import Party, clash, clashes, contradictions, parties, unresolved

__all__ = ["Workflow"]

LOG: Final = logging.getLogger("stamp.workflow")

F = TypeVar("F", bound=Callable[..., Any])


def system_clock() -> int:
    """Return the time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


class Workflow:
    """A named choreography, and the steps of it that live in this process.

    `contracts` is the folder with the contracts of all its steps, those of other services included; by default what the settings
    say (`./schemas`). `namespace` is that of the Avro records (default: the name). `clock` gives microseconds since 1970 UTC.

    Raises:
        WorkflowError: the name cannot be used for folders, exchanges and queues, or the namespace in Avro.
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
            text = "expected the name of a workflow: up to 100 ASCII letters, digits, `_` and `-`, no digit first, not `stamp`"
            raise WorkflowError(f"{text}; got {name!r}")
        self.name: Final = name
        self.namespace: Final = name.replace("-", "_") if namespace is None else namespace
        if not is_namespace(self.namespace):
            text = "expected a namespace of Avro names (ASCII letters, digits and `_`, no digit first) with dots between them"
            raise WorkflowError(f"{text}; got {namespace!r}", path=name)
        self.clock = clock
        self.limits = limits
        self._folder = contracts
        self._steps: dict[str, Step] = {}
        self._sources: tuple[SchemaSource, ...] = ()
        self._learning = Lock()
        self.reload()

    def with_clock(self, clock: Callable[[], int]) -> Workflow:
        """Return this workflow as it is now, with another clock."""
        other = copy(self)
        vars(other).update(_steps=dict(self._steps), clock=clock, _learning=Lock())
        return other

    def with_contracts(self, folder: str | Path) -> Workflow:
        """Return this workflow as it is now, with its contracts in another folder."""
        other = copy(self)
        vars(other).update(_steps=dict(self._steps), _folder=folder, _learning=Lock())
        other.reload()
        return other

    def with_sources(self, *sources: SchemaSource) -> Workflow:
        """Return this workflow as it is now, with more places to look for schemas that neither its code nor its contracts folder has."""
        other = copy(self)
        vars(other).update(_steps=dict(self._steps), _sources=(*self._sources, *sources), _learning=Lock())
        other.reload()
        return other

    @classmethod
    def joined(cls, *workflows: Workflow, contracts: str | Path | None = None) -> Workflow:
        """Return one workflow with the steps of several `Workflow` objects of one name, such as separate services define.

        Each step stays as it is: its records keep their names, also where the objects have different namespaces. Namespace and clock
        are those of the first, for steps that are defined on the result. `contracts` is needed where the contracts folders differ.

        Raises:
            WorkflowError: none is given; names, limits or contracts folders differ; or two define different steps of one name.
        """
        check_parts(workflows, folder=contracts is None)
        other = copy(workflows[0])
        sources = dict.fromkeys(source for each in workflows for source in each._sources)  # noqa: SLF001 - of our own kind
        vars(other).update(_steps=steps_of(workflows), _sources=tuple(sources), _learning=Lock())
        other.reload()
        return other if contracts is None else other.with_contracts(contracts)

    def reload(self) -> None:
        """Forget what was read of the contracts folder: it is read again when it is next needed."""
        self._catalog: Catalog | None = None
        self._folder_source: FolderSource | None = None
        self._parties: dict[str, Party] | None = None
        self._terms: hop.Terms | None = None

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

    def others(self) -> dict[str, StepContract]:
        """Return the contracts of those steps that are not defined here, as the folder has them now; none when there is no folder.

        Raises:
            ContractError: the folder is not in order.
        """
        folder = self.contracts_folder
        found = read_contracts(folder, workflow=self.name, without=self._steps) if folder.is_dir() else {}
        return {step: contract for (_, step), contract in found.items()}

    @property
    def parties(self) -> Mapping[str, Party]:
        """All steps of this workflow: those that are defined here, and for the others their contracts.

        Raises:
            ContractError: the contracts folder is not in order.
        """
        if self._parties is None:
            self._parties = parties(self._steps, self.others())
        return self._parties

    def check(self) -> None:
        """Accept the workflow as a whole, with the contracts of the steps that live elsewhere, as they are now.

        What is not there yet is no mistake: see `unresolved`.

        Raises:
            WorkflowError: a view cannot read anything that its step writes, or an event of success is another step's event of failure.
            ContractError: the contracts folder is not in order.
        """
        for contradiction in contradictions(self._steps, parties(self._steps, self.others())):
            raise contradiction

    def unresolved(self, announced: Mapping[str, StepContract] = MappingProxyType({})) -> list[UnresolvedError]:
        """Return what the steps here refer to and nobody provides so far, neither here nor in the contracts as they are now.

        Contracts that are `announced` by services are for steps that have none in the folder.

        These are events that no run has, and views of steps that nobody declares: a misspelt name, or a service whose contract is yet to come.
        Each names the step, with file and line of its definition.

        Raises:
            ContractError: the contracts folder is not in order.
        """
        return list(unresolved(self._steps, parties(self._steps, {**announced, **self.others()})))

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

    def learn(self, schema_id: bytes, *more: SchemaSource) -> bool:
        """Look for a schema that the catalog does not have, and tell whether it has it now.

        The contracts folder is read again, at most once a second; then the other sources are asked, in their order, and `more`. A source that cannot be used,
        or gives another schema than was asked for, is logged and passed over.
        """
        with self._learning:
            if schema_id in self.catalog:
                self._terms = None  # another thread has learned it, while these were made of the catalog of before
                return True
            if self._folder_source is None:
                self._folder_source = FolderSource(self.contracts_folder, workflow=self.name)
            for source in (self._folder_source, *self._sources, *more):
                if (learned := _learned(self.catalog, source, SchemaId(schema_id))) is not None:
                    self._catalog = learned
                    self._terms = hop.Terms(self.name, learned, self.limits)
                    return True
        return False

    def progress(self, envelope: Envelope) -> Progress:
        """Return how far the run has come that an envelope is of, see `stamp.workflow.progress`.

        Raises:
            WorkflowError: the envelope is of another workflow.
            ContractError: the contracts folder is not in order.
        """
        return progress(self, envelope)

    # -- definition

    def starts(self, name: str, model: type[BaseModel], *, emits: str, ends: Events = ()) -> None:
        """Declare the starting step: what it writes, and the event that begins a run.

        Raises:
            WorkflowError: the name is taken or not usable, or the model cannot be an Avro record.
        """
        caller = sys._getframe(1)  # noqa: SLF001 - where the definition stands, for its errors
        place: dict[str, Any] = {"file": caller.f_code.co_filename, "line": caller.f_lineno}
        if not is_model(model):
            raise WorkflowError(
                f"expected a pydantic model, which is what it writes, got {model!r}", path=name, **place
            )
        said = Signature((), (model,), returns_none=False, context=None)
        self._add(Definition(name=name, emits=emits, ends=ends, place=place), said)

    def step(
        self,
        *,
        on: Events,
        emits: Emits = (),
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
            place, said = place_of(function), signature(function, names)
            called = function.__name__ if name is None else name
            defined = Definition(name=called, on=on, emits=emits, fails=fails, ends=ends, handler=function, place=place)
            self._add(defined, said)
            return function

        return declare

    def _add(self, definition: Definition, said: Signature) -> None:
        step = definition.step(said, self.namespace)
        if step.name in self._steps:
            other = self._steps[step.name].place
            text = (
                f"expected steps of different names, got one that is defined at {other['file']}:{other['line']} already"
            )
            raise WorkflowError(text, path=step.name, **step.place)
        together = {**self._steps, step.name: step}
        for name, event, failing in clashes(together, together):
            raise WorkflowError(clash(event, failing), path=name, **step.place)
        self._steps[step.name] = step
        self.reload()

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
            EncodeError: the model's values do not fit its schema, the id is empty, or an attribute is no text.
            LimitError: the envelope would be too large.
        """
        starting = self._starting(type(first), step)
        return first_event(starting, first, header(self.name, workflow_id, self.clock(), attributes or {}), self.limits)

    def process(
        self,
        step: str,
        body: bytes,
        *,
        attempt: int = 1,
        received_at: int | None = None,
        transaction: Callable[[], Any] | None = None,
        expose_errors: bool = True,
    ) -> list[Outgoing]:
        """Return what `step` publishes in answer to the event whose body this is: one hop, bytes in and bytes out.

        `attempt` counts from 1; `received_at` (microseconds since 1970 UTC) is now unless the message waited in this process;
        `transaction` begins the one that a handler can ask for (`StepContext.transaction`). Without `expose_errors` the text of a
        `Fail` goes to the log, and not into the failure event.

        Raises:
            WorkflowError: there is no such step, or the event is not for it. HandlerError, MissingContributionError likewise.
            WireError, SchemaError: the body cannot be read. EncodeError, LimitError: the answer cannot be written.
            Whatever else the handler raises, except `Fail`, which becomes the step's failure event.
        """
        taken = self._step(step)
        work = self._receive(taken, body, received_at, attempt=attempt, begin=transaction)
        try:
            result = taken.handler(**work.arguments)  # type: ignore[misc]
            if taken.is_async:
                result = _run(result, taken)
        except Fail as failure:
            result = failure
        return self._publish(taken, work, result, expose_errors=expose_errors)

    async def aprocess(
        self,
        step: str,
        body: bytes,
        *,
        attempt: int = 1,
        received_at: int | None = None,
        transaction: Callable[[], Any] | None = None,
        expose_errors: bool = True,
    ) -> list[Outgoing]:
        """Return what `process` does, for callers on an event loop: a handler that is `async def` is awaited."""
        taken = self._step(step)
        work = self._receive(taken, body, received_at, attempt=attempt, begin=transaction)
        try:
            result = taken.handler(**work.arguments)  # type: ignore[misc]
            if taken.is_async:
                result = await result
        except Fail as failure:
            result = failure
        return self._publish(taken, work, result, expose_errors=expose_errors)

    def _publish(self, step: Step, work: hop.Work, result: object, *, expose_errors: bool) -> list[Outgoing]:
        if isinstance(result, Fail) and not expose_errors:
            [cause] = work.causes
            said = {"workflow_id": work.header.workflow_id, "event_id": cause.hex()}
            LOG.warning("%s.%s: %s", self.name, step.name, told(result), extra=said)
        return hop.publish(
            step, work, result, completed_at=self.clock(), limits=self.limits, expose_errors=expose_errors
        )

    def give_up(
        self, step: str, body: bytes, error: BaseException, *, received_at: int, expose_errors: bool = True
    ) -> list[Outgoing]:
        """Return the failure event that `step` publishes when no attempt at this event succeeded, and `error` was the last.

        Without `expose_errors` it does not tell the text of `error`.

        Raises:
            WorkflowError: there is no such step, or the event is not for it.
            WireError: the body cannot be read. LimitError: there is no room for an answer.
        """
        now = self.clock()
        return hop.give_up(
            self._step(step),
            body,
            error,
            self._agreed(),
            received_at=received_at,
            completed_at=now,
            expose_errors=expose_errors,
        )

    def _receive(
        self, step: Step, body: bytes, received_at: int | None, *, attempt: int, begin: Callable[[], Any] | None
    ) -> hop.Work:
        now = self.clock() if received_at is None else received_at
        while True:
            terms = self._terms or self._agreed()
            try:
                return hop.receive(step, body, terms, received_at=now, attempt=attempt, begin=begin)
            except UnknownSchemaError as error:
                if not self.learn(error.schema_id):
                    raise

    def _agreed(self) -> hop.Terms:
        if self._terms is None:
            self._terms = hop.Terms(self.name, self.catalog, self.limits)
        return self._terms

    def _step(self, name: str) -> Step:
        step = self._steps.get(name)
        if step is None or step.handler is None:
            known = ", ".join(each.name for each in self._steps.values() if each.handler) or "none"
            raise WorkflowError(f"expected a step with a handler ({known}), got {name!r}", path=self.name)
        return step

    def _starting(self, model: type[BaseModel], name: str | None) -> Step:
        starting = [each for each in self._steps.values() if each.handler is None and name in {None, each.name}]
        fitting = [each for each in starting if model in each.emissions]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            text = f"expected `step=` to say which of the steps that write a {model.__name__} starts the run"
            raise WorkflowError(f"{text}: {', '.join(each.name for each in fitting)}", path=self.name)
        known = ", ".join(f"{each.name} writes {' or '.join(m.__name__ for m in each.emissions)}" for each in starting)
        text = (
            f"expected what a starting step{'' if name is None else f' {name!r}'} writes ({known or 'there is none'})"
        )
        raise WorkflowError(f"{text}, got a {model.__name__}", path=self.name)


def _learned(catalog: Catalog, source: SchemaSource, schema_id: SchemaId) -> Catalog | None:
    """Return `catalog` with the schema of an id, if `source` has that; whatever a source says, the id is computed from the schema."""
    try:
        found = source.lookup(schema_id)
        if found is None:
            return None
        learned = catalog.with_schema(found.schema)
        for origin in found.origins:
            learned = learned.with_schema(found.schema, origin=origin)
    except StampError as error:
        LOG.warning("no schemas from %s: %s", type(source).__name__, error)
        return None
    if schema_id in learned:
        return learned
    LOG.warning("%s gave another schema than that of the SchemaId %s", type(source).__name__, schema_id)
    return None


def _run(coroutine: Any, step: Step) -> Any:
    import asyncio  # noqa: PLC0415 - takes 25 ms, and only async handlers need it

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    coroutine.close()
    raise WorkflowError(
        "an async handler was called on a running event loop: await `aprocess` instead", path=step.name, **step.place
    )

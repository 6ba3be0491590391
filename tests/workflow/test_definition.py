"""A mistake in a definition is an error where it stands: with file, line and what to do."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest
from pydantic import BaseModel, RootModel
from typing_extensions import TypeAliasType

from stamp import Fail, Failure, From, StepContext, Workflow
from stamp.errors import WorkflowError

if TYPE_CHECKING:

    class Unreal(BaseModel):
        """What only a type checker sees."""


class Ticket(BaseModel):
    text: str


class Validated(BaseModel):
    priority: str


class Rejected(BaseModel):
    reason: str


class Again(BaseModel):
    priority: str
    __avro__ = {"name": "Validated"}


class Texts(RootModel[list[str]]):
    pass


class Untyped(BaseModel):
    anything: Any


class Name(StrEnum):
    VALIDATION = "validation"
    CREATED = "TicketCreated"
    VALIDATED = "TicketValidated"


class MyFailure(Failure):
    pass


def good(ticket: Ticket) -> Validated:
    return Validated(priority=ticket.text)


def either(ticket: Ticket) -> Validated | Rejected:
    return Validated(priority=ticket.text)


def nothing(ticket: Ticket) -> None:
    pass


def unannotated(ticket) -> Validated:
    return Validated(priority="")


def defaulted(ticket: Ticket | None = None) -> Validated:
    return Validated(priority="")


def starred(*ticket: Ticket) -> Validated:
    return Validated(priority="")


def double_starred(**ticket: Ticket) -> Validated:
    return Validated(priority="")


def positional(ticket: Ticket, /) -> Validated:
    return Validated(priority="")


def silent(ticket: Ticket):
    return None


def of_texts(ticket: str) -> Validated:
    return Validated(priority="")


def of_several(ticket: Ticket | Validated) -> Validated:
    return Validated(priority="")


def of_none(ticket: None) -> Validated:
    return Validated(priority="")


def of_root(ticket: Texts) -> Validated:
    return Validated(priority="")


def of_anything(ticket: Untyped) -> Validated:
    return Validated(priority="")


def of_two_views(ticket: Ticket, other: Annotated[Ticket, From("ticket")]) -> Validated:
    return Validated(priority="")


def of_two_failures(ticket: Failure, other: Annotated[Failure, From("ticket")]) -> Validated:
    return Validated(priority="")


def of_two_contexts(one: StepContext, two: StepContext) -> Validated:
    return Validated(priority="")


def unresolvable(ticket: Unknown) -> Validated:  # noqa: F821
    return Validated(priority="")


def only_for_checkers(ticket: Unreal) -> Validated:
    return Validated(priority="")


def half_a_thought(ticket: "list[") -> Validated:  # noqa: F722
    return Validated(priority="")


def no_attribute(ticket: functools.Ticket) -> Validated:
    return Validated(priority="")


def giving_text(ticket: Ticket) -> str:
    return ""


def giving_text_too(ticket: Ticket) -> Validated | str:
    return ""


def giving_texts(ticket: Ticket) -> Texts:
    return Texts([])


def giving_anything(ticket: Ticket) -> Untyped:
    return Untyped(anything=1)


def giving_failure(ticket: Ticket) -> MyFailure:
    return MyFailure(type="", message="")


def giving_namesakes(ticket: Ticket) -> Validated | Again:
    return Again(priority="")


USUAL: dict[str, Any] = {"on": "TicketCreated", "emits": "TicketValidated"}
BOTH = {Validated: "TicketValidated", Rejected: "TicketRejected"}

MISTAKES: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    # the signature
    (unannotated, {}, r"unannotated\(ticket\): expected an annotation: the view of what the step 'ticket' wrote"),
    (defaulted, {}, r"defaulted\(ticket\): expected no default: annotate it as `View \| None`"),
    (starred, {}, r"starred\(ticket\): expected a parameter that can be given by its name, got `\*ticket"),
    (double_starred, {}, r"expected a parameter that can be given by its name, got `\*\*ticket"),
    (positional, {}, r"expected a parameter that can be given by its name, got `ticket"),
    (silent, {}, r"silent: expected a return annotation: the pydantic model that the step writes, or None"),
    (of_texts, {}, r"of_texts\(ticket\): expected one pydantic model \(a view\), .*got <class 'str'>"),
    (of_several, {}, r"expected one pydantic model \(a view\), a view `\| None`, or StepContext, got .*Ticket \|"),
    (of_none, {}, r"of_none\(ticket\): expected one pydantic model \(a view\)"),
    (of_root, {}, r"of_root\(ticket\): the view cannot be an Avro schema: .*model with fields, got .*Texts"),
    (of_anything, {}, r"of_anything\(ticket\): the view cannot be an Avro schema: Untyped.anything: "),
    (of_two_views, {}, r"expected one view of the step 'ticket', got 2"),
    (of_two_failures, {}, r"expected one view of the step 'ticket', got 2"),
    (of_two_contexts, {}, r"of_two_contexts\(two\): expected one StepContext, got `one` already"),
    (unresolvable, {}, r"got NameError: name 'Unknown' is not defined: models must be defined before the step"),
    (only_for_checkers, {}, r"name 'Unreal' is not defined: .* imported for real, not only under TYPE_CHECKING"),
    (half_a_thought, {}, r"can be evaluated where the step is defined, got SyntaxError: "),
    (no_attribute, {}, r"got AttributeError: module 'functools' has no attribute 'Ticket'"),
    (giving_text, {}, r"expected a return annotation of pydantic models, .*got <class 'str'>"),
    (giving_text_too, {"emits": {Validated: "A", str: "B"}}, r"annotation of pydantic models, .*got <class 'str'>"),
    (giving_texts, {}, r"what the step writes cannot be an Avro record: .*model with fields, got .*Texts"),
    (giving_anything, {}, r"what the step writes cannot be an Avro record: Untyped.anything: "),
    (giving_failure, {}, r"got MyFailure: a failure is raised, `raise Fail\(...\)`"),
    # the name
    (good, {"name": "Übersicht"}, r"expected the name of a step: .*; got 'Übersicht'"),
    (good, {"name": ""}, r"expected the name of a step: .*; got ''"),
    (good, {"name": "stamp"}, r"expected the name of a step: .*not `stamp`; got 'stamp'"),
    (good, {"name": "a" * 101}, r"expected the name of a step: up to 100"),
    (good, {"name": 7}, r"7: expected the name of a step: .*; got 7"),
    # events
    (good, {"on": ()}, r"expected an event in `on`, which triggers the step, got none"),
    (good, {"on": None}, r"expected names of events in `on`, .*got None"),
    (good, {"on": "Ticket Created"}, r"expected names of events in `on`, words of ASCII .*got 'Ticket Created'"),
    (good, {"on": ["A", "ticket.*"]}, r"expected names of events in `on`, .*got 'ticket.\*'"),
    (good, {"on": ["A", "B", "A"]}, r"expected each event once in `on`, got 'A' 2 times"),
    (good, {"emits": ["A", "A"]}, r"expected each event once in `emits`, got 'A' 2 times"),
    (good, {"emits": "#"}, r"expected names of events in `emits`, .*got '#'"),
    (good, {"emits": Validated}, r"expected names of events in `emits`, .*got <class .*Validated"),
    (good, {"emits": b"A"}, r"expected names of events in `emits`, .*got 65"),
    (good, {"fails": "it failed"}, r"expected names of events in `fails`, .*got 'it failed'"),
    (good, {"fails": ["A", "B"]}, r"expected one event in `fails`, got \['A', 'B'\]"),
    (good, {"fails": "TicketValidated"}, r"expected in `fails` an event that is not one of success"),
    (good, {"ends": "Other"}, r"in `ends` events that it publishes \('TicketValidated', 'good.failed'\), got 'Other'"),
    (good, {"ends": "A B"}, r"expected names of events in `ends`, .*got 'A B'"),
    # events and models
    (good, {"emits": ()}, r"expected an event in `emits` for Validated, which it returns, got none"),
    (nothing, {}, r"expected no `emits`, as the return annotation says that nothing is written, got 'TicketValidated'"),
    (nothing, {"emits": {Validated: "A"}}, r"models of the return annotation \(none\), got Validated"),
    (good, {"emits": BOTH}, r"expected `emits={Model: event}` with the models .*\(Validated\), got Rejected"),
    (good, {"emits": {"TicketValidated": Validated}}, r"`emits={Model: event}` with .*, got 'TicketValidated'"),
    (either, {}, r"expected `emits={Validated: event, Rejected: event}`, .*got 'TicketValidated'"),
    (either, {"emits": ["A", "B"]}, r"expected `emits={Validated: event, Rejected: event}`, .*got \['A', 'B'\]"),
    (either, {"emits": {Validated: "A"}}, r"expected an event in `emits` for Rejected, which it returns, got none"),
    (either, {"emits": {Validated: "A", Rejected: ()}}, r"expected an event in `emits` for Rejected"),
    (
        either,
        {"emits": {Validated: "A", Rejected: ["B", "A"]}},
        r"expected one model for each event, got Validated and Rejected for 'A': who hears an event knows by it what was",
    ),
    (
        giving_namesakes,
        {"emits": {Validated: "A", Again: "B"}},
        r"expected records of different names, got 2 models called Validated: rename one of them",
    ),
]


def line_of(function: Callable[..., Any]) -> int:
    return inspect.getsourcelines(function)[1]


@pytest.mark.parametrize(("function", "said", "text"), MISTAKES)
def test_a_mistake_is_an_error_with_the_place_of_the_function(
    function: Callable[..., Any], said: dict[str, Any], text: str
) -> None:
    workflow = Workflow("ticket")

    with pytest.raises(WorkflowError, match=text) as caught:
        workflow.step(**(USUAL | said))(function)

    assert (caught.value.file, caught.value.line) == (__file__, line_of(function))
    assert str(caught.value).startswith(f"{__file__}:{caught.value.line}: ")
    assert not workflow.steps, "a step with a mistake must not stay behind"


def test_the_steps_of_that_table_are_right_but_for_their_mistakes() -> None:
    workflow = Workflow("ticket")
    workflow.step(**USUAL)(good)
    workflow.step(on="A", emits=BOTH, ends=["TicketRejected", "either.failed"], fails="either.failed")(either)
    workflow.step(on="A")(nothing)

    assert list(workflow.steps) == ["good", "either", "nothing"]
    assert workflow.steps["either"].emits == ("TicketValidated", "TicketRejected")


def test_a_second_step_of_a_name_says_where_the_first_is() -> None:
    workflow = Workflow("ticket")
    workflow.step(**USUAL)(good)

    with pytest.raises(WorkflowError, match=rf"one that is defined at {__file__}:{line_of(good)} already") as caught:
        workflow.step(**USUAL, name="good")(nothing_more)

    assert caught.value.line == line_of(nothing_more)
    assert workflow.steps["good"].handler is good


def nothing_more(ticket: Ticket) -> Validated:
    return Validated(priority="")


@pytest.mark.parametrize(
    "handler",
    [functools.partial(good), len, Validated, "validation", None],
    ids=["partial", "builtin", "class", "text", "none"],
)
def test_what_is_no_function_is_refused(handler: Any) -> None:
    with pytest.raises(WorkflowError, match="expected a function or a method as the handler of a step, got "):
        Workflow("ticket").step(**USUAL)(handler)


STARTS: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    (("ticket", Ticket), {"emits": ()}, "ticket: expected an event in `emits` for Ticket, which it returns, got none"),
    (("ticket", Ticket), {"emits": ["A", "B"]}, "expected one event in `emits`, with which a run starts, got 'A', 'B'"),
    (("ticket", Ticket), {"emits": "a b"}, "expected names of events in `emits`"),
    (("ticket", Ticket), {"emits": "A", "ends": "B"}, r"expected in `ends` events that it publishes \('A', 'ticket"),
    (("tick et", Ticket), {"emits": "A"}, "expected the name of a step: .*got 'tick et'"),
    (("ticket", str), {"emits": "A"}, "ticket: expected a pydantic model, which is what it writes, got <class 'str'>"),
    (("ticket", Ticket(text="")), {"emits": "A"}, r"expected a pydantic model, .*got Ticket\(text=''\)"),
    (("ticket", Untyped), {"emits": "A"}, "what the step writes cannot be an Avro record: Untyped.anything"),
    (("ticket", Failure), {"emits": "A"}, "expected a model of its own to be returned, got Failure"),
]


@pytest.mark.parametrize(("positional", "named", "text"), STARTS)
def test_a_mistake_in_a_start_is_an_error_with_its_place(
    positional: tuple[Any, ...], named: dict[str, Any], text: str
) -> None:
    workflow = Workflow("ticket")

    with pytest.raises(WorkflowError, match=text) as caught:
        workflow.starts(*positional, **named)

    assert (caught.value.file, caught.value.line) == (__file__, caught.tb.tb_lineno)
    assert not workflow.steps


@pytest.mark.parametrize("name", ["", "stamp", "a b", "tïcket", "1st", "ticket.v2", "a" * 101, None, 7])
def test_a_workflow_has_a_name_for_folders_and_queues(name: Any) -> None:
    with pytest.raises(WorkflowError, match=r"expected the name of a workflow: up to 100 .*; got "):
        Workflow(name)


@pytest.mark.parametrize("namespace", ["a b", "a..b", "1.b", "a-b", 7])
def test_a_workflow_has_a_namespace_for_avro(namespace: Any) -> None:
    with pytest.raises(WorkflowError, match=r"ticket: expected a namespace of Avro names .*; got "):
        Workflow("ticket", namespace=namespace)


@pytest.mark.parametrize(
    ("named", "record"),
    [
        ({}, "order_line.check_out.Validated"),
        ({"namespace": "com.example"}, "com.example.check_out.Validated"),
        ({"namespace": ""}, "check_out.Validated"),
    ],
)
def test_the_namespace_of_a_record_is_made_of_workflow_and_step(named: dict[str, str], record: str) -> None:
    workflow = Workflow("order-line", **named)
    workflow.step(**USUAL, name="check-out")(good)

    schema = workflow.steps["check-out"].emissions[Validated].binding.schema
    assert f"{schema['namespace']}.{schema['name']}" == record


# -- what a signature may say


def reads_of(function: Callable[..., Any], **said: Any) -> list[tuple[str, str, type[BaseModel], bool]]:
    workflow = Workflow("ticket")
    workflow.step(**(USUAL | said))(function)
    (step,) = workflow.steps.values()
    return [(read.parameter, read.step, read.view.model, read.optional) for read in step.reads]


def as_it_is_called(ticket: Ticket) -> Validated:
    return Validated(priority="")


def from_another(seen: Annotated[Ticket, From("ticket-2")]) -> Validated:
    return Validated(priority="")


def optional(ticket: Ticket | None) -> Validated:
    return Validated(priority="")


def optional_of_old(ticket: Optional[Ticket]) -> Validated:
    return Validated(priority="")


def optional_from_another(seen: Annotated[Ticket | None, From("ticket-2")]) -> Validated:
    return Validated(priority="")


def optional_outside(seen: Annotated[Ticket, From("ticket-2")] | None) -> Validated:
    return Validated(priority="")


def annotated_for_others(ticket: Annotated[Ticket, "a note"]) -> Annotated[Validated, "another"]:
    return Validated(priority="")


def in_quotes(ticket: "Ticket | None") -> "Validated":  # noqa: UP037
    return Validated(priority="")


def keyword_only(*, ticket: Ticket) -> Validated:
    return Validated(priority="")


@pytest.mark.parametrize(
    ("function", "reads"),
    [
        (as_it_is_called, [("ticket", "ticket", Ticket, False)]),
        (from_another, [("seen", "ticket-2", Ticket, False)]),
        (optional, [("ticket", "ticket", Ticket, True)]),
        (optional_of_old, [("ticket", "ticket", Ticket, True)]),
        (optional_from_another, [("seen", "ticket-2", Ticket, True)]),
        (optional_outside, [("seen", "ticket-2", Ticket, True)]),
        (annotated_for_others, [("ticket", "ticket", Ticket, False)]),
        (in_quotes, [("ticket", "ticket", Ticket, True)]),
        (keyword_only, [("ticket", "ticket", Ticket, False)]),
    ],
)
def test_parameters_are_reads(
    function: Callable[..., Any], reads: list[tuple[str, str, type[BaseModel], bool]]
) -> None:
    assert reads_of(function) == reads


def test_a_view_and_a_failure_of_one_step_are_two_things() -> None:
    def both(ticket: Ticket | None, failure: Annotated[Failure | None, From("ticket")]) -> Validated:
        return Validated(priority="")

    assert reads_of(both) == [("ticket", "ticket", Ticket, True), ("failure", "ticket", Failure, True)]


def test_models_of_the_function_around_are_found() -> None:
    class Local(BaseModel):
        text: str

    class Written(BaseModel):
        text: str

    workflow = Workflow("ticket")

    @workflow.step(on="TicketCreated", emits="TicketValidated")
    def validation(ticket: Local) -> Written:
        return Written(text=ticket.text)

    assert workflow.steps["validation"].reads[0].view.model is Local
    assert list(workflow.steps["validation"].emissions) == [Written]


def test_a_model_is_looked_up_where_the_step_is_defined_before_the_module() -> None:
    class Ticket(BaseModel):
        other: str

    workflow = Workflow("ticket")

    @workflow.step(on="TicketCreated")
    def validation(ticket: Ticket) -> None:
        pass

    assert workflow.steps["validation"].reads[0].view.model is Ticket


def test_type_aliases_are_what_they_stand_for() -> None:
    Outcome = TypeAliasType("Outcome", Validated | Rejected)  # noqa: N806
    Maybe = TypeAliasType("Maybe", Ticket | None)  # noqa: N806
    workflow = Workflow("ticket")

    @workflow.step(on="A", emits=BOTH)
    def validation(ticket: Maybe) -> Outcome:
        return Validated(priority="")

    assert list(workflow.steps["validation"].emissions) == [Validated, Rejected]
    assert workflow.steps["validation"].reads[0].optional


def test_enums_of_text_are_names() -> None:
    workflow = Workflow("ticket")
    workflow.step(on=[Name.CREATED], emits=Name.VALIDATED, name=Name.VALIDATION)(good)
    (step,) = workflow.steps.values()

    assert [type(each) for each in (step.name, *step.on, *step.emits, step.fails)] == [str] * 4
    assert (step.name, step.on, step.emits, step.fails) == (
        "validation",
        ("TicketCreated",),
        ("TicketValidated",),
        "validation.failed",
    )


def test_the_decorated_function_is_the_function() -> None:
    workflow = Workflow("ticket")

    decorated = workflow.step(**USUAL)(good)

    assert decorated is good
    assert decorated(Ticket(text="HIGH")) == Validated(priority="HIGH")


def test_a_method_can_be_a_handler() -> None:
    class Service:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def validation(self, ticket: Ticket) -> Validated:
            self.seen.append(ticket.text)
            return Validated(priority="LOW")

    service, workflow = Service(), Workflow("ticket")
    workflow.starts("ticket", Ticket, emits="TicketCreated")
    workflow.step(**USUAL)(service.validation)

    workflow.process("validation", workflow.start(Ticket(text="hello"), workflow_id="1").body)

    assert service.seen == ["hello"]


def test_a_handler_may_be_wrapped() -> None:
    calls = []

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inner(*args: Any, **named: Any) -> Any:
            calls.append(function.__name__)
            return function(*args, **named)

        return inner

    workflow = Workflow("ticket")
    workflow.starts("ticket", Ticket, emits="TicketCreated")
    workflow.step(**USUAL, name="validation")(counted(good))

    workflow.process("validation", workflow.start(Ticket(text="hello"), workflow_id="1").body)

    assert calls == ["good"]
    assert workflow.steps["validation"].place["line"] == line_of(good)


def test_a_failure_is_text_whatever_it_is_made_of() -> None:
    failure = Fail(ValueError("no expert"), message=3, self="half a \ud800 pair")

    assert (failure.message, failure.detail) == ("no expert", {"message": "3", "self": "half a ? pair"})
    assert str(failure) == "no expert"


class Chained(BaseModel):
    text: str
    next: Chained | None = None


def test_a_record_that_contains_itself_is_refused_where_it_is_declared() -> None:
    with pytest.raises(WorkflowError, match=r"a type that does not contain itself") as caught:
        Workflow("ticket", contracts=None).starts("chain", Chained, emits="Chained")
    assert caught.value.file == __file__


@pytest.mark.parametrize("is_first", [True, False])
def test_a_failure_event_of_one_step_is_no_success_of_another(is_first: bool) -> None:
    workflow = Workflow("ticket", contracts=None)
    steps = [{"emits": "Checked", "name": "one"}, {"emits": "one.failed", "name": "two"}]
    defined, refused = steps if is_first else steps[::-1]
    workflow.step(on="TicketCreated", **defined)(good)

    with pytest.raises(WorkflowError, match=r"got 'one\.failed', with which one fails") as caught:
        workflow.step(on="TicketCreated", **refused)(good)

    assert (caught.value.file, caught.value.line, caught.value.path) == (__file__, line_of(good), "two")
    assert list(workflow.steps) == [defined["name"]]


def test_steps_may_share_an_event_of_failure() -> None:
    workflow = Workflow("ticket", contracts=None)
    for name in ("one", "two"):
        workflow.step(on="TicketCreated", emits=f"{name}.done", fails="Failed", name=name)(good)

"""Contracts from code: what is written, when, and who can read with it."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from stamp import Envelope, Failure, From, Outgoing, Workflow
from stamp.errors import ContractError, WorkflowError
from stamp.ripple import read_folder, ripple
from stamp.schema import Catalog, SchemaId, avro_schema, bind
from stamp.workflow import contract, export

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import avro.io
    import avro.schema

Step = Callable[..., Any]


class Ticket(BaseModel):
    text: str
    count: int = 0


class Text(BaseModel):
    text: str


class Validated(BaseModel):
    priority: str


class Rejected(BaseModel):
    reason: str


def validation(ticket: Text) -> Validated | Rejected:
    return Validated(priority=ticket.text) if ticket.text else Rejected(reason="empty")


def answer(ticket: Text, validation: Validated | None, seen: Annotated[Failure | None, From("validation")]) -> Text:
    return Text(text=f"{ticket.text} {validation and validation.priority}")


BOTH = {Validated: "TicketValidated", Rejected: ["TicketRejected", "TicketClosed"]}
STEPS: dict[Step, dict[str, Any]] = {
    validation: {"on": "TicketCreated", "emits": BOTH, "ends": ["TicketClosed"]},
    answer: {"on": ["TicketValidated", "TicketRejected"], "emits": "Answered", "fails": "NobodyAnswered"},
}


def a_workflow(
    first: type[BaseModel] = Ticket, steps: Mapping[Step, Mapping[str, Any]] = STEPS, **named: Any
) -> Workflow:
    workflow = Workflow("ticket", **({"contracts": "/nonexistent"} | named))
    workflow.starts("ticket", first, emits="TicketCreated")
    for function, said in steps.items():
        workflow.step(**said)(function)
    return workflow


PUBLISHED = {"stamp/envelope.v1.avsc", "stamp/failure.v1.avsc", "stamp/step.schema.json"}
"""What every contracts folder has, so that it is enough to read envelopes in any language."""


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def paths(changed: list[Path], folder: Path) -> set[str]:
    assert len(changed) == len(set(changed))
    return {path.relative_to(folder).as_posix() for path in changed}


def said_of(name: str) -> dict[str, Any]:
    return next(said for function, said in STEPS.items() if function.__name__ == name)


def with_field(name: str, annotation: Any, default: Any = ..., **more: Any) -> type[BaseModel]:
    """Ticket with one field more."""
    return create_model("Ticket", __base__=Ticket, **{name: (annotation, Field(default, **more))})


class TestTheFirstTime:
    def test_everything_is_written(self, tmp_path: Path) -> None:
        changed = export(a_workflow(), tmp_path)

        assert paths(changed, tmp_path) == set(files(tmp_path))
        assert set(files(tmp_path)) == PUBLISHED | {
            "ticket/answer/Text.v1.avsc",
            "ticket/answer/reads/ticket.avsc",
            "ticket/answer/reads/validation.avsc",
            "ticket/answer/step.json",
            "ticket/ticket/Ticket.v1.avsc",
            "ticket/ticket/step.json",
            "ticket/validation/Rejected.v1.avsc",
            "ticket/validation/Validated.v1.avsc",
            "ticket/validation/reads/ticket.avsc",
            "ticket/validation/step.json",
        }

    def test_the_wire_format_lies_beside_the_contracts_as_it_is_published(self, tmp_path: Path, root: Path) -> None:
        export(a_workflow(), tmp_path)
        for name in PUBLISHED:
            assert (tmp_path / name).read_bytes() == (root / "schemas" / name).read_bytes()

    def test_the_files_say_what_the_code_says(self, tmp_path: Path) -> None:
        workflow = a_workflow()
        export(workflow, tmp_path)
        contracts = {step: found for (_, step), found in contract.read_contracts(tmp_path).items()}

        assert list(contracts) == ["answer", "ticket", "validation"]
        start, first, second = (contracts[step] for step in ("ticket", "validation", "answer"))
        assert (start.on, start.emits, start.fails, start.ends) == (
            (),
            {"TicketCreated": "Ticket"},
            "ticket.failed",
            (),
        )
        assert first.on == ("TicketCreated",)
        assert first.emits == {
            "TicketValidated": "Validated",
            "TicketRejected": "Rejected",
            "TicketClosed": "Rejected",
        }
        assert (first.fails, first.ends) == ("validation.failed", ("TicketClosed",))
        assert (second.fails, second.ends) == ("NobodyAnswered", ())
        assert (set(second.reads), second.optional) == ({"ticket", "validation"}, {"validation"})
        for step, found in contracts.items():
            written = {model.__name__: emission for model, emission in workflow.steps[step].emissions.items()}
            assert {each.name: each.id for each in found.versions} == {
                name: emission.schema_id for name, emission in written.items()
            }

    def test_it_is_the_workflows_own_folder_when_no_other_is_given(self, tmp_path: Path) -> None:
        workflow = a_workflow(contracts=tmp_path / "contracts")

        assert len(export(workflow)) == len(files(tmp_path / "contracts")) == 13
        assert export(workflow) == []

    def test_steps_that_live_elsewhere_are_not_touched(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)
        before = files(tmp_path)
        alone = Workflow("ticket", contracts=tmp_path)

        @alone.step(on="Answered", emits="Archived")
        def archive(answer: Text) -> Text:
            return answer

        assert {path.split("/")[1] for path in paths(export(alone), tmp_path)} == {"archive"}
        assert before.items() <= files(tmp_path).items()

    @pytest.mark.parametrize("of_the_workflow", ["all", "nothing"])
    def test_the_others_may_be_in_the_workflows_folder_or_in_the_one_that_is_written(
        self, tmp_path: Path, of_the_workflow: str
    ) -> None:
        export(a_workflow(), tmp_path / "all")
        alone = Workflow("ticket", contracts=tmp_path / of_the_workflow)

        @alone.step(on="Answered", emits="Archived")
        def archive(answer: Text) -> Text:
            return answer

        folder = tmp_path / ("own" if of_the_workflow == "all" else "all")
        changed = paths(export(alone, folder), folder) - PUBLISHED
        assert {path.split("/")[1] for path in changed} == {"archive"}


class TestAgain:
    def test_nothing_changes(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)
        before = files(tmp_path)

        assert export(a_workflow(), tmp_path) == []
        assert files(tmp_path) == before

    def test_a_changed_model_is_the_next_version_and_the_released_one_stays(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)
        before = files(tmp_path)

        assert paths(export(a_workflow(with_field("colour", str, "red")), tmp_path), tmp_path) == {
            "ticket/ticket/Ticket.v2.avsc"
        }
        assert before.items() <= files(tmp_path).items()
        assert export(a_workflow(with_field("colour", str, "red")), tmp_path) == []

    @pytest.mark.parametrize(
        "changed",
        [
            with_field("colour", str),
            with_field("text", bytes),
            with_field("count", int, 1),
            with_field("count", float, 0.0),
            with_field("text", str, alias="words"),
        ],
        ids=["field", "type", "default", "promotion", "name"],
    )
    def test_each_change_of_what_bytes_mean_is_one(self, tmp_path: Path, changed: type[BaseModel]) -> None:
        export(a_workflow(Ticket, {}), tmp_path)

        assert paths(export(a_workflow(changed, {}), tmp_path), tmp_path) == {"ticket/ticket/Ticket.v2.avsc"}

    def test_a_change_of_words_alone_is_none(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)
        told = create_model(
            "Ticket", __base__=Ticket, __doc__="A request.", text=(str, Field(description="What is wrong."))
        )
        assert "doc" in avro_schema(told)
        assert avro_schema(told)["fields"][0]["doc"] == "What is wrong."

        assert export(a_workflow(told), tmp_path) == []

    def test_going_back_is_a_version_of_its_own(self, tmp_path: Path) -> None:
        for model in (Ticket, with_field("colour", str, "red"), Ticket):
            export(a_workflow(model), tmp_path)
        found = contract.read_contracts(tmp_path)["ticket", "ticket"]

        assert [each.version for each in found.versions] == [1, 2, 3]
        assert found.versions[0].id == found.versions[2].id != found.versions[1].id
        assert (tmp_path / "ticket/ticket/Ticket.v1.avsc").read_bytes() == (
            tmp_path / "ticket/ticket/Ticket.v3.avsc"
        ).read_bytes()

    def test_a_changed_view_is_written_over(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)

        def validation(ticket: Ticket) -> Validated | Rejected:
            return Validated(priority="")

        changed = {validation: said_of("validation"), answer: STEPS[answer]}
        assert paths(export(a_workflow(steps=changed), tmp_path), tmp_path) == {"ticket/validation/reads/ticket.avsc"}

    def test_a_view_that_is_not_read_any_more_goes(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)

        def answer(validation: Validated | None) -> Text:
            return Text(text="")

        changed = {validation: STEPS[validation], answer: said_of("answer")}
        assert paths(export(a_workflow(steps=changed), tmp_path), tmp_path) == {
            "ticket/answer/reads/ticket.avsc",
            "ticket/answer/step.json",
        }
        assert "ticket/answer/reads/ticket.avsc" not in files(tmp_path)

    @pytest.mark.parametrize(
        ("said", "key", "value"),
        [
            ({"on": "TicketCreated"}, "on", ["TicketCreated"]),
            ({"fails": "Silence"}, "fails", "Silence"),
            ({"ends": "Answered"}, "ends", ["Answered"]),
            ({"ends": ["NobodyAnswered"]}, "ends", ["NobodyAnswered"]),
            ({"emits": "Told"}, "emits", {"Told": "Text"}),
            ({"emits": ["Answered", "Told"]}, "emits", {"Answered": "Text", "Told": "Text"}),
        ],
    )
    def test_a_change_of_events_is_one_of_the_declaration(
        self, tmp_path: Path, said: dict[str, Any], key: str, value: Any
    ) -> None:
        export(a_workflow(), tmp_path)
        changed = STEPS | {answer: STEPS[answer] | said}

        assert paths(export(a_workflow(steps=changed), tmp_path), tmp_path) == {"ticket/answer/step.json"}
        assert json.loads((tmp_path / "ticket/answer/step.json").read_bytes())[key] == value

    def test_a_view_that_becomes_optional_is_a_change_of_the_declaration(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)

        def answer(ticket: Text | None, validation: Validated | None) -> Text:
            return Text(text="")

        changed = {validation: STEPS[validation], answer: said_of("answer")}
        assert paths(export(a_workflow(steps=changed), tmp_path), tmp_path) == {"ticket/answer/step.json"}
        assert contract.read_contracts(tmp_path)["ticket", "answer"].optional == {"ticket", "validation"}

    def test_what_people_added_stays(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)
        file = tmp_path / "ticket/ticket/step.json"
        export(a_workflow(with_field("colour", str, "red")), tmp_path)
        file.write_text(json.dumps(json.loads(file.read_bytes()) | {"retired": {"Ticket.v1": "2026-12-31"}}))

        assert export(a_workflow(with_field("colour", str, "red")), tmp_path) == []
        export(a_workflow(with_field("colour", str, "blue")), tmp_path)
        assert json.loads(file.read_bytes())["retired"] == {"Ticket.v1": "2026-12-31"}


class TestMistakes:
    def test_stop_it_before_anything_is_written(self, tmp_path: Path) -> None:
        workflow = a_workflow()

        @workflow.step(on="Answered", emits="Archived")
        def archive(ticket: Rejected) -> Text:
            return Text(text="")

        with pytest.raises(WorkflowError, match="can read nothing that the step 'ticket' writes"):
            export(workflow, tmp_path)
        assert files(tmp_path) == {}

    @pytest.mark.parametrize(
        ("path", "text", "message"),
        [
            ("ticket/validation/step.json", "[]", "expected a JSON object"),
            ("ticket/validation/step.json", '{"retired": 3}', "expected the day after which no data"),
            ("ticket/validation/Validated.v3.avsc", '{"type": "record", "name": "Validated", "fields": []}', "a gap"),
            ("ticket/validation/Old.avsc", "{}", "expected a schema file called"),
        ],
    )
    def test_in_one_contract_stop_it_before_another_is_written(
        self, tmp_path: Path, path: str, text: str, message: str
    ) -> None:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)

        with pytest.raises(ContractError, match=message):
            export(a_workflow(), tmp_path)
        assert set(files(tmp_path)) == {path}

    def test_that_a_crash_left_are_mended(self, tmp_path: Path) -> None:
        export(a_workflow(), tmp_path)
        whole = files(tmp_path)
        (tmp_path / "ticket/answer/step.json").unlink()
        (tmp_path / "ticket/answer/reads/survey.avsc").write_text("{")
        (tmp_path / "ticket/answer/reads/ticket.avsc").write_text("")

        export(a_workflow(contracts=tmp_path))
        assert files(tmp_path) == whole


class Question(BaseModel):
    question: str


class TestOthers:
    """Services that know one another by their contracts alone: each can be the first to write its own."""

    @staticmethod
    def asking(folder: Path) -> Workflow:
        workflow = Workflow("talk", contracts=folder)
        workflow.starts("ticket", Ticket, emits="Asked")

        @workflow.step(on=["Asked", "NeedsMore"], emits="Question")
        def ask(ticket: Text, answer: Validated | None) -> Question:
            return Question(question="")

        return workflow

    @staticmethod
    def answering(folder: Path) -> Workflow:
        workflow = Workflow("talk", contracts=folder)

        @workflow.step(on="Question", emits={Validated: "NeedsMore", Rejected: "Refused"}, ends="Refused")
        def answer(ask: Question) -> Validated | Rejected:
            return Rejected(reason="")

        return workflow

    @pytest.mark.parametrize("first", ["asking", "answering"])
    def test_in_any_order_the_contracts_become_the_same(self, tmp_path: Path, first: str) -> None:
        makers = [self.asking, self.answering] if first == "asking" else [self.answering, self.asking]
        written = [bool(export(make(tmp_path))) for make in (*makers, makers[0])]
        assert written == [True, True, False]
        assert [each.unresolved() for each in (self.asking(tmp_path), self.answering(tmp_path))] == [[], []]
        assert ripple(read_folder(tmp_path), today=date(2026, 11, 23)).findings == ()

    def test_what_does_not_fit_together_yet_is_found_by_a_check(self, tmp_path: Path) -> None:
        export(self.answering(tmp_path))
        found = ripple(read_folder(tmp_path), today=date(2026, 11, 23)).findings
        assert [each.rule for each in found] == ["step-unreachable", "event-without-consumer"]
        export(self.asking(tmp_path / "other"))
        found = ripple(read_folder(tmp_path / "other"), today=date(2026, 11, 23)).findings
        assert {each.rule for each in found} == {
            "read-without-writer",
            "event-without-producer",
            "event-without-consumer",
        }

    def test_a_view_that_reads_nothing_of_a_contract_of_others_is_written_and_found(self, tmp_path: Path) -> None:
        export(self.asking(tmp_path))
        workflow = Workflow("talk", contracts=tmp_path)

        @workflow.step(on="Question", emits="Refused", ends="Refused")
        def answer(ask: Rejected) -> Text:
            return Text(text="")

        export(workflow)
        found = ripple(read_folder(tmp_path), today=date(2026, 11, 23)).findings
        assert "view-breaks" in {each.rule for each in found}
        with pytest.raises(WorkflowError, match="can read nothing"):
            workflow.check()


def followed(workflow: Workflow, first: BaseModel) -> list[Outgoing]:
    """Return every event of a run, in a workflow without branches that meet."""
    events = [workflow.start(first, workflow_id="4729")]
    for event in events:
        for step in workflow.steps.values():
            if event.event in step.on:
                events += workflow.process(step.name, event.body)
    return events


class TestReaders:
    def test_contracts_alone_decode_an_envelope(self, tmp_path: Path) -> None:
        workflow = a_workflow()
        export(workflow, tmp_path)
        last = followed(workflow, Ticket(text="hello"))[-1]

        envelope = Envelope.from_bytes(last.body, catalog=Catalog.from_folder(tmp_path))

        assert envelope.state() == {"text": "hello hello", "count": 0, "priority": "hello"}
        assert {name: source.version for name, source in envelope.provenance().items()} == {
            "text": 1,
            "count": 1,
            "priority": 1,
        }

    def test_data_of_every_released_version_stay_readable(self, tmp_path: Path) -> None:
        bodies = []
        for model in (Ticket, with_field("colour", str, "red"), with_field("size", float, 1.0)):
            workflow = a_workflow(model)
            export(workflow, tmp_path)
            bodies.append(workflow.start(model(text="hello"), workflow_id="1").body)
        now = Workflow("ticket", contracts=tmp_path)
        now.step(**STEPS[validation])(validation)

        for version, body in enumerate(bodies, 1):
            (out,) = now.process("validation", body)
            envelope = Envelope.from_bytes(out.body, catalog=now.catalog)
            assert envelope.provenance()["text"].version == version
            assert envelope.state()["priority"] == "hello"

    def test_the_version_is_known_where_code_and_contracts_agree(self, tmp_path: Path) -> None:
        workflow = a_workflow(contracts=tmp_path)
        assert self.versions(workflow) == {None}, "nothing is released yet"

        export(workflow)
        assert self.versions(workflow) == {1}, "the same workflow knows what it has exported"
        changed = a_workflow(with_field("colour", str, "red"), contracts=tmp_path)
        assert self.versions(changed) == {None}, "what is not exported has no version"
        export(changed)
        assert self.versions(changed) == {2}
        assert self.versions(a_workflow(contracts=tmp_path)) == {1}

    @staticmethod
    def versions(workflow: Workflow) -> set[int | None]:
        first = workflow.start(next(iter(workflow.steps["ticket"].emissions))(text="x"), workflow_id="1")
        provenance = Envelope.from_bytes(first.body, catalog=workflow.catalog).provenance()
        return {source.version for source in provenance.values()}


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


class Address(BaseModel):
    street: str
    city: str


class Line(BaseModel):
    what: str
    price: Annotated[Decimal, Field(max_digits=9, decimal_places=2)]


class Order(BaseModel):
    id: UUID
    at: datetime
    colour: Colour
    home: Address
    work: Address | None
    lines: list[Line]
    notes: dict[str, str]


class SeenAddress(BaseModel):
    __avro__ = {"name": "Address"}
    city: str


class SeenLine(BaseModel):
    __avro__ = {"name": "Line"}
    price: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]


class Seen(BaseModel):
    """A view with another name than what it reads, fields in another order, and one that is not there."""

    lines: list[SeenLine]
    work: SeenAddress | None
    home: SeenAddress
    colour: Colour
    at: datetime
    urgent: bool = False


AN_ORDER = Order(
    id=UUID(int=7),
    at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    colour=Colour.BLUE,
    home=Address(street="Oak 1", city="Graz"),
    work=None,
    lines=[Line(what="nail", price=Decimal("0.01")), Line(what="hammer", price=Decimal("12.50"))],
    notes={"a": "b"},
)


def through_fastavro(writer: Any, reader: Any, payload: bytes) -> bytes:
    datum = fastavro.schemaless_reader(io.BytesIO(payload), writer, reader)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, reader, datum)
    return out.getvalue()


def through_apache(writer: Any, reader: Any, payload: bytes) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of logical types that are ours alone
        theirs, ours = (avro.schema.parse(json.dumps(schema)) for schema in (writer, reader))
    datum = avro.io.DatumReader(theirs, ours).read(avro.io.BinaryDecoder(io.BytesIO(payload)))
    out = io.BytesIO()
    avro.io.DatumWriter(ours).write(datum, avro.io.BinaryEncoder(out))
    return out.getvalue()


@pytest.mark.parametrize("library", [through_fastavro, through_apache])
class TestOtherLibraries:
    """An exported view is a reader schema that they resolve: to the same data as ours."""

    def test_resolve_a_view_of_another_name(self, tmp_path: Path, library: Callable[..., bytes]) -> None:
        workflow = Workflow("shop", contracts=tmp_path)
        workflow.starts("order", Order, emits="Ordered")

        @workflow.step(on="Ordered", emits="Packed")
        def packing(order: Seen) -> Text:
            return Text(text="")

        export(workflow)
        reader = json.loads((tmp_path / "shop/packing/reads/order.avsc").read_bytes())
        writer = json.loads((tmp_path / "shop/order/Order.v1.avsc").read_bytes())
        first = Envelope.from_bytes(workflow.start(AN_ORDER, workflow_id="1").body, catalog=workflow.catalog)

        seen = first.read("order", Seen)
        assert (seen.lines[1].price, seen.home.city, seen.work, seen.urgent) == (Decimal("12.50"), "Graz", None, False)
        assert library(writer, reader, first["order"].payload) == bind(Seen).encode(seen)

    def test_resolve_every_view_of_the_example(self, root: Path, library: Callable[..., bytes]) -> None:
        from examples.ticket import intake, ticket

        line = json.loads((root / "examples/ticket/tickets.jsonl").read_text(encoding="utf-8").split("\n")[0])
        last = followed(ticket, intake.Ticket.model_validate(line))[-1]
        envelope = Envelope.from_bytes(last.body, catalog=Catalog.from_folder(root / "schemas", workflow="ticket"))
        assert last.event == "SurveyAnswered"
        for step in ticket.steps.values():
            for read in step.reads:
                written = envelope[read.step]
                writer = next(
                    each for each in contract.read_contracts(root / "schemas").values() if each.step == read.step
                )
                schema = next(each.schema for each in writer.versions if each.id == written.schema_id)
                reader = json.loads((root / f"schemas/ticket/{step.name}/reads/{read.step}.avsc").read_bytes())

                expected = bind(read.view.model).encode(envelope.read(read.step, read.view.model))
                assert library(schema, reader, written.payload) == expected, f"{step.name} reads {read.step}"


def test_a_view_of_several_outcomes_has_them_as_aliases(tmp_path: Path) -> None:
    class Wide(BaseModel):
        priority: str = ""
        reason: str = ""

    workflow = a_workflow(steps={validation: STEPS[validation]})

    @workflow.step(on=["TicketValidated", "TicketRejected"], emits="Counted")
    def count(validation: Wide) -> Text:
        return Text(text="")

    @workflow.step(on=["TicketValidated"], emits="Told")
    def tell(validation: Validated) -> Text:
        return Text(text="")

    export(workflow, tmp_path)
    wide, narrow = (
        json.loads((tmp_path / f"ticket/{step}/reads/validation.avsc").read_bytes()) for step in ("count", "tell")
    )
    assert (wide["namespace"], wide["name"]) == ("ticket.validation", "Validated")
    assert wide["aliases"] == ["ticket.validation.Rejected"]
    assert (narrow["namespace"], narrow["name"], "aliases" in narrow) == ("ticket.validation", "Validated", False)
    payload = bind(Rejected).encode(Rejected(reason="empty"))
    schema = json.loads((tmp_path / "ticket/validation/Rejected.v1.avsc").read_bytes())
    assert fastavro.schemaless_reader(io.BytesIO(payload), schema, wide) == {"priority": "", "reason": "empty"}


FIELDS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from([(str, ...), (int, ...), (int, 0), (int, 1), (str, ""), (bool, ...), (list[str], [])]),
    max_size=4,
)


@given(st.lists(FIELDS, min_size=1, max_size=5))
def test_each_release_differs_from_the_one_before_and_none_ever_changes(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("contracts")
    before: dict[str, bytes] = {}
    ids: list[SchemaId] = []
    for fields in history:
        model = create_model("Ticket", **fields)
        workflow = a_workflow(model, {})
        export(workflow, folder)
        found = contract.read_contracts(folder)["ticket", "ticket"]
        after = {path: content for path, content in files(folder).items() if path.endswith(".avsc")}
        wanted = workflow.steps["ticket"].emissions[model].schema_id
        ids += [wanted] if ids[-1:] != [wanted] else []

        assert before.items() <= after.items()
        assert [each.id for each in found.versions] == ids
        assert export(workflow, folder) == []
        before = after

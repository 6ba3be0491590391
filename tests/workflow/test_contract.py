from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stamp.errors import ContractError, SchemaError, StampError
from stamp.schema.catalog import Catalog
from stamp.schema.identity import SchemaId
from stamp.workflow.contract import read_contracts
from stamp.workflow.draft import Draft, write_contract

PUBLISHED = Path(__file__).parents[2] / "schemas" / "stamp" / "step.schema.json"
STEP_SCHEMA = Draft202012Validator(
    json.loads(PUBLISHED.read_bytes()), format_checker=Draft202012Validator.FORMAT_CHECKER
)


def record(name: str = "Validation", *fields: str, **more: Any) -> dict[str, Any]:
    columns = [{"name": each, "type": "string"} for each in fields or ("result",)]
    return {"type": "record", "name": name, "namespace": "ticket", "fields": columns, **more}


SAID = {
    "workflow": "ticket",
    "step": "validation",
    "on": ["TicketCreated", "TicketReopened"],
    "emits": {"TicketValidated": "Validation", "TicketPassed": "Validation", "TicketRejected": "Rejection"},
    "fails": "validation.broke",
    "ends": ["TicketRejected", "validation.broke"],
    "reads": {"ticket": "reads/ticket.avsc", "survey-2": "reads/survey-2.avsc"},
    "optional": ["survey-2"],
    "retired": {"Validation.v1": "2026-12-31"},
    "$schema": "../../stamp/step.schema.json",
}

FILES: dict[str, Any] = {
    "step.json": SAID,
    "Validation.v1.avsc": record(),
    "Validation.v2.avsc": record("Validation", "result", "priority"),
    "Rejection.v1.avsc": record("Rejection"),
    "Old.v1.avsc": record("Old"),
    "reads/ticket.avsc": record("Ticket"),
    "reads/survey-2.avsc": record("Survey"),
}


def lay(folder: Path, content: Mapping[str, Any], home: str = "ticket/validation") -> Path:
    for name, value in content.items():
        file = folder / home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestReading:
    def test_gives_what_the_files_say(self, tmp_path: Path) -> None:
        contract = read_contracts(lay(tmp_path, FILES))["ticket", "validation"]

        assert contract.on == ("TicketCreated", "TicketReopened")
        assert contract.emits == SAID["emits"]
        assert contract.fails == "validation.broke"
        assert contract.ends == ("TicketRejected", "validation.broke")
        assert contract.reads == {"ticket": record("Ticket"), "survey-2": record("Survey")}
        assert contract.optional == {"survey-2"}
        assert [(each.name, each.version, each.retired) for each in contract.versions] == [
            ("Old", 1, None),
            ("Rejection", 1, None),
            ("Validation", 1, date(2026, 12, 31)),
            ("Validation", 2, None),
        ]
        newest = contract.latest("Validation")
        assert (newest.version, newest.schema) == (2, FILES["Validation.v2.avsc"])
        assert newest.id == SchemaId.of(newest.schema)
        assert newest.file == tmp_path / "ticket/validation/Validation.v2.avsc"

    def test_what_is_left_out_has_its_default(self, tmp_path: Path) -> None:
        lay(tmp_path, {"step.json": {"workflow": "ticket", "step": "ticket", "on": [], "emits": {}}}, "ticket/ticket")

        contract = read_contracts(tmp_path)["ticket", "ticket"]

        assert (contract.on, contract.fails, contract.ends, contract.versions) == ((), "ticket.failed", (), ())
        assert (contract.emits, contract.reads, contract.optional) == ({}, {}, frozenset())

    def test_versions_are_in_the_order_of_numbers(self, tmp_path: Path) -> None:
        said = {"workflow": "ticket", "step": "validation", "on": [], "emits": {"E": "R"}}
        lay(tmp_path, {"step.json": said, **{f"R.v{n}.avsc": record("R", f"f{n}") for n in range(1, 12)}})

        contract = read_contracts(tmp_path)["ticket", "validation"]

        assert [each.version for each in contract.versions] == list(range(1, 12))
        assert contract.latest("R").version == 11

    def test_the_latest_of_a_record_that_is_not_written_is_an_error(self, tmp_path: Path) -> None:
        contract = read_contracts(lay(tmp_path, FILES))["ticket", "validation"]

        with pytest.raises(ContractError, match=r"this step writes \(Old, Rejection, Validation\), got 'Other'"):
            contract.latest("Other")

    def test_looks_past_what_is_no_contract(self, tmp_path: Path) -> None:
        lay(tmp_path, FILES)
        lay(tmp_path, {"README.md": "words", "envelope.v1.avsc": "{"}, "stamp")
        lay(tmp_path, {"README.md": "words"}, "ticket")
        lay(tmp_path, {"step.json": "{"}, ".git/objects")
        lay(tmp_path, {"README.md": "words"})

        assert list(read_contracts(tmp_path)) == [("ticket", "validation")]

    def test_of_one_workflow_looks_at_no_other(self, tmp_path: Path) -> None:
        lay(tmp_path, FILES)
        lay(tmp_path, {"step.json": "{"}, "order/billing")

        assert list(read_contracts(tmp_path, workflow="ticket")) == [("ticket", "validation")]
        assert read_contracts(tmp_path, workflow="survey") == {}

    def test_needs_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match="expected a contracts folder, got none"):
            read_contracts(tmp_path / "nowhere")

    def test_the_catalog_finds_the_same_schemas(self, tmp_path: Path) -> None:
        contract = read_contracts(lay(tmp_path, FILES))["ticket", "validation"]
        catalog = Catalog.from_folder(tmp_path)

        assert {each.id for each in contract.versions} == {entry.id for entry in catalog}
        assert [catalog.lookup(each.id).version("validation") for each in contract.versions] == [1, 1, 1, 2]


GONE = object()

ODD: dict[str, tuple[dict[str, Any], type[StampError], str, str]] = {
    "no step.json": ({"step.json": GONE}, ContractError, "step.json", "expected a file that can be read"),
    "no JSON": ({"step.json": "{,"}, SchemaError, "step.json", ":1: expected JSON"),
    "a key twice": ({"step.json": '{"on": [], "on": []}'}, SchemaError, "step.json", "'on' comes twice"),
    "a list": ({"step.json": []}, ContractError, "step.json", "expected a JSON object"),
    "an unknown key": ({"step.json": {**SAID, "emit": {}}}, ContractError, "step.json", 'got the key "emit"'),
    "another workflow's folder": (
        {"step.json": {**SAID, "workflow": "order"}},
        ContractError,
        "step.json",
        "expected the workflow 'ticket'",
    ),
    "another step's folder": (
        {"step.json": {**SAID, "step": "other"}},
        ContractError,
        "step.json",
        "expected the step 'validation'",
    ),
    "a failure that is a success": (
        {"step.json": {**SAID, "fails": "TicketValidated"}},
        ContractError,
        "step.json",
        "fails: expected a failure event",
    ),
    "an end that is not its own": (
        {"step.json": {**SAID, "ends": ["Other"]}},
        ContractError,
        "step.json",
        "ends: expected an event",
    ),
    "optional and not read": (
        {"step.json": {**SAID, "optional": ["x"]}},
        ContractError,
        "step.json",
        "optional: expected a step that",
    ),
    "a view elsewhere": (
        {"step.json": {**SAID, "reads": {"ticket": "reads/../../x.avsc"}, "optional": []}},
        ContractError,
        "step.json",
        "expected the view of 'ticket' in 'reads/ticket.avsc'",
    ),
    "a view that is missing": (
        {"reads/ticket.avsc": GONE},
        ContractError,
        "reads/ticket.avsc",
        "got no such file",
    ),
    "a view that is no schema": (
        {"reads/ticket.avsc": {"type": "record"}},
        SchemaError,
        "reads/ticket.avsc",
        "legal name",
    ),
    "a view that is no record": ({"reads/ticket.avsc": "string"}, SchemaError, "reads/ticket.avsc", "expected JSON"),
    "a view of a string": ({"reads/ticket.avsc": '"string"'}, SchemaError, "reads/ticket.avsc", "schema of a record"),
    "a view that nobody reads": (
        {"reads/other.avsc": record()},
        ContractError,
        "reads/other.avsc",
        "got another one: remove it, or export again",
    ),
    "a record without versions": (
        {"Rejection.v1.avsc": GONE},
        ContractError,
        "step.json",
        "emits: expected Rejection.v1.avsc",
    ),
    "a gap": ({"Validation.v1.avsc": GONE}, ContractError, "Validation.v2.avsc", "expected Validation.v1.avsc before"),
    "a version of another record": (
        {"Validation.v2.avsc": record("V")},
        SchemaError,
        "Validation.v2.avsc",
        "a record called Validation",
    ),
    "a recursive record": (
        {"Old.v1.avsc": {"type": "record", "name": "Old", "fields": [{"name": "x", "type": ["null", "Old"]}]}},
        SchemaError,
        "Old.v1.avsc",
        "Old.x: expected a type that does not contain itself",
    ),
    "a file that is no version": ({"Validation.avsc": record()}, ContractError, "Validation.avsc", "<Name>.v<N>.avsc"),
    "a version with a number of too many digits": (
        {"Validation.v99999999999999999999.avsc": record()},
        ContractError,
        "Validation.v99999999999999999999.avsc",
        "at most 999999",
    ),
    "a version with a number that Python does not convert": (
        {f"V.v{'9' * 200}.avsc": record()},
        ContractError,
        f"V.v{'9' * 200}.avsc",
        "at most 999999",
    ),
    "an unknown version retired": (
        {"step.json": {**SAID, "retired": {"Validation.v3": "2026-12-31"}}},
        ContractError,
        "step.json",
        "retired: expected one of the versions here (Old.v1, Rejection.v1, Validation.v1, Validation.v2), got 'Validation.v3'",
    ),
    "what is emitted retired": (
        {"step.json": {**SAID, "retired": {"Rejection.v1": "2026-12-31"}}},
        ContractError,
        "step.json",
        "retired: expected Rejection to be in use",
    ),
}


@pytest.mark.parametrize(("change", "kind", "file", "text"), ODD.values(), ids=ODD)
def test_what_is_odd_is_refused_with_its_file(
    tmp_path: Path, change: dict[str, Any], kind: type[StampError], file: str, text: str
) -> None:
    lay(tmp_path, {name: value for name, value in (FILES | change).items() if value is not GONE})

    with pytest.raises(kind) as caught:
        read_contracts(tmp_path)

    assert caught.value.file == str(tmp_path / "ticket/validation" / file)
    assert text in str(caught.value)


ILLEGAL: list[tuple[str, Any]] = [
    *(
        (key, name)
        for key in ("workflow", "step")
        for name in ("", "1a", "a.b", "a/b", "..", "stamp", "a" * 101, 1, None)
    ),
    *(
        ("on", events)
        for events in ("TicketCreated", ["a b"], [""], ["a", "a"], [1], [["a"]], ["a." * 200 + "a"], ["a.**"])
    ),
    *(
        ("emits", emits)
        for emits in ([], "E", {"a b": "R"}, {"": "R"}, {"E": "a.R"}, {"E": "R-1"}, {"E": None}, {"*": "R"})
    ),
    *(("fails", event) for event in ("", "a b", "*.failed", None, [])),
    *(("ends", events) for events in ("TicketRejected", ["TicketRejected", "TicketRejected"], [None])),
    *(("reads", reads) for reads in ([], {"a.b": "reads/a.b.avsc"}, {"stamp": "reads/stamp.avsc"}, {"ticket": 1})),
    *(("optional", steps) for steps in ("ticket", ["ticket", "ticket"], [{}])),
    *(
        ("retired", days)
        for days in (
            [],
            {"Validation": "2026-12-31"},
            {"Validation.v1": "31.12.2026"},
            {"Validation.v1": "2026-02-30"},
            {"Validation.v1": None},
        )
    ),
    ("$schema", 1),
    ("other", 1),
]


@pytest.mark.parametrize(("key", "value"), ILLEGAL)
def test_the_reader_and_the_json_schema_refuse_the_same_values(tmp_path: Path, key: str, value: Any) -> None:
    said = {**SAID, key: value}
    lay(tmp_path, FILES | {"step.json": said})

    with pytest.raises(ContractError) as caught:
        read_contracts(tmp_path)

    assert key in str(caught.value)
    assert not STEP_SCHEMA.is_valid(said)


@pytest.mark.parametrize("key", ["workflow", "step", "on", "emits"])
def test_the_reader_and_the_json_schema_need_the_same_keys(tmp_path: Path, key: str) -> None:
    said = {name: value for name, value in SAID.items() if name != key}
    lay(tmp_path, FILES | {"step.json": said})

    with pytest.raises(ContractError, match=f'expected the key "{key}"'):
        read_contracts(tmp_path)

    assert not STEP_SCHEMA.is_valid(said)


def test_the_json_schema_is_one_and_takes_a_full_contract() -> None:
    Draft202012Validator.check_schema(STEP_SCHEMA.schema)

    STEP_SCHEMA.validate(SAID)


def test_the_published_json_schema_is_that_of_the_package() -> None:
    assert files("stamp").joinpath("workflow", "step.schema.json").read_bytes() == PUBLISHED.read_bytes()


DRAFT = Draft(
    workflow="ticket",
    step="validation",
    on=("TicketCreated",),
    emits={"TicketValidated": record(), "TicketRejected": record("Rejection")},
    ends=("TicketRejected",),
    reads={"ticket": record("Ticket"), "survey": record("Survey")},
    optional=frozenset({"survey"}),
)


class TestWriting:
    HOME = "ticket/validation/"

    def change(self, folder: Path, draft: Draft) -> list[str]:
        """Write twice, expect that the second time nothing happens and that released files stay; return what changed."""
        before = snapshot(folder)
        changed = [
            path.relative_to(folder).as_posix().removeprefix(self.HOME) for path in write_contract(folder, draft)
        ]
        after = snapshot(folder)
        assert write_contract(folder, draft) == []
        assert snapshot(folder) == after
        assert {name: text for name, text in before.items() if ".v" in name}.items() <= after.items()
        assert {
            name.removeprefix(self.HOME) for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        } == set(changed)
        return changed

    def test_lays_down_a_contract_that_reads_back(self, tmp_path: Path) -> None:
        assert self.change(tmp_path, DRAFT) == [
            "Validation.v1.avsc",
            "Rejection.v1.avsc",
            "reads/ticket.avsc",
            "reads/survey.avsc",
            "step.json",
        ]

        contract = read_contracts(tmp_path)["ticket", "validation"]

        assert (contract.on, contract.ends, contract.fails) == (DRAFT.on, DRAFT.ends, "validation.failed")
        assert (contract.reads, contract.optional) == (DRAFT.reads, DRAFT.optional)
        assert {event: contract.latest(name).schema for event, name in contract.emits.items()} == DRAFT.emits

    def test_writes_json_for_people(self, tmp_path: Path) -> None:
        write_contract(
            tmp_path, Draft(workflow="ticket", step="ticket", emits={"TicketCreated": record("Ticket", doc="größer")})
        )

        written = snapshot(tmp_path)
        assert written["ticket/ticket/step.json"].decode() == (
            "{\n"
            '  "workflow": "ticket",\n'
            '  "step": "ticket",\n'
            '  "on": [],\n'
            '  "emits": {\n'
            '    "TicketCreated": "Ticket"\n'
            "  },\n"
            '  "fails": "ticket.failed",\n'
            '  "constraints": {\n'
            '    "Ticket": 1\n'
            "  }\n"
            "}\n"
        )
        assert '"doc": "größer"' in written["ticket/ticket/Ticket.v1.avsc"].decode()
        assert len(written) == 2
        STEP_SCHEMA.validate(json.loads(written["ticket/ticket/step.json"]))

    def test_files_are_readable_by_others(self, tmp_path: Path) -> None:
        (tmp_path / "plain").touch()
        for path in write_contract(tmp_path, DRAFT):
            assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)

    def test_a_changed_record_becomes_the_next_version(self, tmp_path: Path) -> None:
        self.change(tmp_path, DRAFT)
        second = replace(DRAFT, emits={**DRAFT.emits, "TicketValidated": record("Validation", "result", "priority")})

        assert self.change(tmp_path, second) == ["Validation.v2.avsc"]
        assert self.change(tmp_path, DRAFT) == ["Validation.v3.avsc"]
        assert len(Catalog.from_folder(tmp_path)) == 3

    def test_a_changed_doc_is_no_new_version(self, tmp_path: Path) -> None:
        self.change(tmp_path, DRAFT)

        assert (
            self.change(tmp_path, replace(DRAFT, emits={**DRAFT.emits, "TicketValidated": record(doc="words")})) == []
        )

    def test_a_changed_view_is_written_in_place(self, tmp_path: Path) -> None:
        self.change(tmp_path, DRAFT)

        assert self.change(
            tmp_path, replace(DRAFT, reads={**DRAFT.reads, "ticket": record("Ticket", doc="words")})
        ) == ["reads/ticket.avsc"]

    def test_1_is_not_true(self, tmp_path: Path) -> None:
        self.change(tmp_path, replace(DRAFT, reads={"ticket": record(note=1)}, optional=frozenset()))

        changed = self.change(tmp_path, replace(DRAFT, reads={"ticket": record(note=True)}, optional=frozenset()))

        assert changed == ["reads/ticket.avsc"]

    def test_a_view_that_is_no_longer_read_goes(self, tmp_path: Path) -> None:
        self.change(tmp_path, DRAFT)

        changed = self.change(tmp_path, replace(DRAFT, reads={"ticket": record("Ticket")}, optional=frozenset()))

        assert changed == ["step.json", "reads/survey.avsc"]

    def test_a_record_that_is_no_longer_written_stays(self, tmp_path: Path) -> None:
        self.change(tmp_path, DRAFT)

        assert self.change(tmp_path, replace(DRAFT, emits={"TicketValidated": record()}, ends=())) == ["step.json"]
        assert read_contracts(tmp_path)["ticket", "validation"].latest("Rejection").version == 1

    def test_what_people_added_stays(self, tmp_path: Path) -> None:
        self.change(
            tmp_path, replace(DRAFT, emits={"TicketValidated": record(), "TicketRejected": record("Rejection", "old")})
        )
        self.change(tmp_path, DRAFT)
        file = tmp_path / self.HOME / "step.json"
        added = {"retired": {"Rejection.v1": "2027-01-01"}, "$schema": "../../stamp/step.schema.json"}
        file.write_text(json.dumps(added | json.loads(file.read_bytes())), encoding="utf-8")

        assert self.change(tmp_path, DRAFT) == []
        assert self.change(tmp_path, replace(DRAFT, on=("TicketCreated", "TicketReopened"))) == ["step.json"]

        assert added.items() <= json.loads(file.read_bytes()).items()

    def test_a_broken_view_is_replaced(self, tmp_path: Path) -> None:
        self.change(tmp_path, DRAFT)
        (tmp_path / self.HOME / "reads/ticket.avsc").write_text("<<<<<<<", encoding="utf-8")

        assert self.change(tmp_path, DRAFT) == ["reads/ticket.avsc"]

    def test_one_record_with_two_events_is_one_file(self, tmp_path: Path) -> None:
        changed = self.change(tmp_path, replace(DRAFT, emits={"A": record(), "B": record(doc="words")}, ends=()))

        assert [name for name in changed if ".v" in name] == ["Validation.v1.avsc"]

    @pytest.mark.parametrize(
        ("change", "kind", "text"),
        [
            ({"step": "../x"}, ContractError, "the name of the step"),
            ({"workflow": "stamp"}, ContractError, "the name of the workflow"),
            ({"reads": {"a/b": record()}}, ContractError, "the view of each step"),
            ({"ends": ("Other",)}, ContractError, "an event that this step publishes"),
            ({"fails": "TicketValidated"}, ContractError, "a failure event"),
            (
                {"emits": {"A": record(), "B": record("Validation", "x")}, "ends": ()},
                ContractError,
                "give one of them another name",
            ),
            ({"emits": {"A": {"type": "enum", "name": "E", "symbols": ["A"]}}}, SchemaError, "schema of a record"),
            ({"emits": {"A": record("Validation", "x", "x")}}, SchemaError, "each field once"),
            (
                {"reads": {"ticket": record("Ticket", "x", "x")}, "optional": frozenset()},
                SchemaError,
                "each field once",
            ),
        ],
    )
    def test_a_draft_that_makes_no_contract_writes_nothing(
        self, tmp_path: Path, change: dict[str, Any], kind: type[StampError], text: str
    ) -> None:
        with pytest.raises(kind, match=text):
            write_contract(tmp_path / "schemas", replace(DRAFT, **change))

        assert snapshot(tmp_path) == {}

    @pytest.mark.parametrize(
        ("present", "kind", "text"),
        [
            ({"step.json": "{"}, SchemaError, "expected JSON"),
            ({"step.json": []}, ContractError, "expected a JSON object"),
            ({"step.json": {"emit": {}}}, ContractError, 'got the key "emit"'),
            ({"Validation.v2.avsc": record()}, ContractError, "got a gap"),
            ({"Validation.v1.avsc": "{"}, SchemaError, "expected JSON"),
        ],
    )
    def test_over_a_broken_contract_nothing_is_written(
        self, tmp_path: Path, present: dict[str, Any], kind: type[StampError], text: str
    ) -> None:
        before = snapshot(lay(tmp_path, present))

        with pytest.raises(kind, match=text):
            write_contract(tmp_path, DRAFT)

        assert snapshot(tmp_path) == before


@given(
    shapes=st.lists(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, min_size=1), min_size=1, max_size=6),
)
def test_a_history_of_drafts_keeps_every_version_and_repeats_none(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("schemas")
    for fields in shapes:
        write_contract(folder, replace(DRAFT, emits={"E": record("R", *fields)}, ends=()))

    history = [each.schema for each in read_contracts(folder)["ticket", "validation"].versions]

    told = [record("R", *fields) for fields in shapes]
    assert history == [each for number, each in enumerate(told) if number == 0 or each != told[number - 1]]

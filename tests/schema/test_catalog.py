from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stamp.errors import ContractError, SchemaError, StampError, UnknownSchemaError
from stamp.schema import catalog as catalog_module
from stamp.schema.catalog import Catalog, Entry, Origin
from stamp.schema.identity import SchemaId, fingerprint


def record(name: str = "Validation", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": "result", "type": "string"}], **more}


def origin(version: int = 1, step: str = "validation", **more: Any) -> Origin:
    return Origin("ticket", step, "Validation", version, **more)


def write(folder: Path, path: str, schema: Any) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(schema if isinstance(schema, str) else json.dumps(schema), encoding="utf-8")
    return file


class TestWithSchema:
    def test_gives_another_catalog_and_leaves_this_one(self) -> None:
        empty = Catalog()

        one = empty.with_schema(record(), origin=origin())

        assert (len(empty), len(one)) == (0, 1)
        assert list(one) == [Entry(SchemaId.of(record()), fingerprint(record()), record(), (origin(),))]

    def test_takes_only_acceptable_schemas(self) -> None:
        with pytest.raises(SchemaError, match=r"x\.avsc: Validation: expected each field once"):
            Catalog().with_schema(record(fields=record()["fields"] * 2), origin=origin(file=Path("x.avsc")))

    def test_keeps_its_own_copy(self) -> None:
        schema = record()
        catalog = Catalog().with_schema(schema)

        schema["fields"].clear()

        assert catalog.lookup(SchemaId.of(record())).schema == record()

    def test_gathers_the_origins_of_one_schema(self) -> None:
        catalog = Catalog().with_schema(record(), origin=origin(1)).with_schema(record(doc="words"))
        catalog = catalog.with_schema(record(), origin=origin(3)).with_schema(record(), origin=origin(1))
        catalog = catalog.with_schema(record(), origin=origin(7, step="other"))

        (entry,) = catalog

        assert entry.origins == (origin(1), origin(3), origin(7, step="other"))
        assert [entry.version(step) for step in ("validation", "other", "third")] == [3, 7, None]

    def test_refuses_a_second_schema_under_a_known_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = b"\1" * 16 + b"\2" * 16, b"\1" * 16 + b"\3" * 16
        monkeypatch.setattr(catalog_module, "fingerprint", lambda schema: first if schema == "int" else second)
        catalog = Catalog().with_schema("int")

        with pytest.raises(SchemaError) as caught:
            catalog.with_schema("long", origin=origin(file=Path("x.avsc")))

        assert str(caught.value).startswith(f"x.avsc: expected one schema of the SchemaId {'01' * 16}, got another one")
        assert catalog.lookup(b"\1" * 16).schema == "int"


class TestMerged:
    A = Catalog().with_schema("int", origin=origin(1)).with_schema("long")
    B = Catalog().with_schema("int", origin=origin(2)).with_schema("string")

    def test_has_what_either_has(self) -> None:
        merged = self.A.merged(self.B)

        assert {entry.schema: entry.origins for entry in merged} == {
            "int": (origin(1), origin(2)),
            "long": (),
            "string": (),
        }
        assert (len(self.A), len(self.B)) == (2, 2)

    def test_with_itself_or_nothing_is_itself(self) -> None:
        assert self.A.merged(self.A) is self.A
        assert self.A.merged(Catalog()) is self.A
        assert Catalog().merged(self.A) == self.A
        assert hash(Catalog().merged(self.A)) == hash(self.A)

    def test_refuses_two_schemas_of_one_id(self) -> None:
        (entry,) = Catalog().with_schema("int")
        forged = Catalog([Entry(entry.id, b"\0" * 32, "long")])

        with pytest.raises(SchemaError, match="expected one schema of the SchemaId"):
            self.A.merged(forged)


class TestLookup:
    CATALOG = Catalog().with_schema("int")

    def test_takes_the_plain_bytes_of_a_message(self) -> None:
        message = b"before" + SchemaId.of("int") + b"after"

        assert self.CATALOG.lookup(message[6:22]).schema == "int"
        assert self.CATALOG.get(message[6:22]) == self.CATALOG.lookup(message[6:22])
        assert message[6:22] in self.CATALOG

    def test_of_an_unknown_id_says_who_wrote_it_and_what_to_do(self) -> None:
        with pytest.raises(UnknownSchemaError) as caught:
            self.CATALOG.lookup(bytes(16), workflow="ticket", step="validation")

        assert caught.value.schema_id == bytes(16)
        assert str(caught.value) == (
            f"validation: expected a schema that the catalog knows, got the SchemaId {'00' * 16} "
            "in what the step 'validation' of the workflow 'ticket' wrote: it is none of the 1 schemas here, "
            "so add the released file ticket/validation/<Name>.v<N>.avsc of that service to the contracts folder, "
            "or have a worker or a publisher of that service announce it"
        )

    def test_of_an_unknown_id_without_a_step_still_helps(self) -> None:
        with pytest.raises(UnknownSchemaError, match=r"what somebody wrote.* <workflow>/<step>/<Name>\.v<N>\.avsc"):
            self.CATALOG.lookup(b"\1" * 15)

    def test_get_of_an_unknown_id_is_none(self) -> None:
        assert self.CATALOG.get(bytes(16)) is None
        assert bytes(16) not in self.CATALOG


class TestFromFolder:
    def test_takes_every_released_version(self, tmp_path: Path) -> None:
        first = write(tmp_path, "ticket/validation/Validation.v1.avsc", record())
        second = write(tmp_path, "ticket/validation/Validation.v2.avsc", record(aliases=["Check"]))
        again = write(tmp_path, "ticket/validation/Validation.v10.avsc", record())
        other = write(tmp_path, "order/bill-ing/Bill.v1.avsc", record("Bill", namespace="order"))
        for ignored in ("README.md", "stamp/envelope.v1.avsc", "ticket/README.md", "ticket/validation/step.json"):
            write(tmp_path, ignored, "no schema")
        write(tmp_path, "ticket/validation/reads/ticket.avsc", "no schema")
        write(tmp_path, ".git/objects/x.avsc", "no schema")

        catalog = Catalog.from_folder(tmp_path)

        assert [entry.origins for entry in catalog] == [
            (Origin("order", "bill-ing", "Bill", 1, other),),
            (origin(1, file=first), origin(10, file=again)),
            (origin(2, file=second),),
        ]

    @pytest.mark.parametrize(
        ("name", "content", "kind", "text"),
        [
            ("Validation.v1.avsc", "{", SchemaError, ":1: expected JSON"),
            ("Validation.v1.avsc", record(fields=1), SchemaError, "Validation: expected a record with a list"),
            ("Validation.v1.avsc", record("Other"), SchemaError, "a record called Validation"),
            (
                "Validation.v1.avsc",
                {"type": "enum", "name": "Validation", "symbols": ["A"]},
                SchemaError,
                "a record called",
            ),
            ("Validation.v1.avsc", ["null"], SchemaError, "a record called"),
            ("Validation.avsc", record(), ContractError, "called <Name>.v<N>.avsc"),
            ("Validation.v0.avsc", record(), ContractError, "called <Name>.v<N>.avsc"),
            ("Validation.v01.avsc", record(), ContractError, "called <Name>.v<N>.avsc"),
            ("Val-id.v1.avsc", record(), ContractError, "called <Name>.v<N>.avsc"),
        ],
    )
    def test_errors_name_the_file(
        self, tmp_path: Path, name: str, content: Any, kind: type[StampError], text: str
    ) -> None:
        file = write(tmp_path, f"ticket/validation/{name}", content)

        with pytest.raises(kind) as caught:
            Catalog.from_folder(tmp_path)

        assert caught.value.file == str(file)
        assert text in str(caught.value)

    def test_a_missing_folder_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match="expected a contracts folder"):
            Catalog.from_folder(tmp_path / "nowhere")

    def test_what_cannot_be_read_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "ticket/validation/Validation.v1.avsc").mkdir(parents=True)

        with pytest.raises(ContractError, match="expected a file that can be read"):
            Catalog.from_folder(tmp_path)

    def test_of_one_workflow_looks_at_no_other(self, tmp_path: Path) -> None:
        write(tmp_path, "order/billing/Bill.v1.avsc", "{")
        write(tmp_path, "ticket/validation/Validation.v1.avsc", record())

        assert len(Catalog.from_folder(tmp_path, workflow="ticket")) == 1
        assert len(Catalog.from_folder(tmp_path, workflow="survey")) == 0

"""A change of what models enforce, from the code of two steps to what `check` says of it, and what the reader's model does with the data."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stamp.errors import StampError

MODULE = """
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AnyUrl, BaseModel, Field, FiniteFloat, HttpUrl, PositiveInt, conint, constr, field_validator

from stamp import From, Workflow


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Card(BaseModel):
    kind: Literal[{tag!r}]


class Cash(BaseModel):
    kind: Literal["cash"]


class Paid(BaseModel):
    value: {written}


class CardView(BaseModel):
    __avro__ = {{"name": "Card"}}
    kind: Literal["card"]


class View(BaseModel):
    value: {read}


class Booked(BaseModel):
    done: bool


wf = Workflow("pay")
wf.starts("payment", Paid, emits="Paid")


@wf.step(on="Paid", emits="Booked", ends="Booked")
def booking(paid: Annotated[View, From("payment")]) -> Booked:
    return Booked(done=True)
"""


class Code:
    """Versions of one module, and what is done with them."""

    def __init__(self, here: Path, stamp: Any) -> None:
        self.here, self.stamp, self.number = here, stamp, 0
        self.module = ""

    def write(self, written: str, read: str, tag: str = "card") -> None:
        self.number += 1
        self.module = f"pay{self.number}"
        (self.here / f"{self.module}.py").write_text(MODULE.format(written=written, read=read, tag=tag))

    def export(self, written: str, read: str, tag: str = "card") -> list[str]:
        self.write(written, read, tag)
        done = self.stamp("export", f"{self.module}:wf")
        assert done.exit_code == 0, done.output
        return [line.split("/")[-1] for line in done.stdout.splitlines() if "/" in line and "/stamp/" not in line]

    def keep(self) -> None:
        shutil.rmtree(self.here / "before", ignore_errors=True)
        shutil.copytree(self.here / "schemas", self.here / "before")

    def check(self, *more: str) -> tuple[int, list[dict[str, Any]]]:
        done = self.stamp("check", "--against", "before", "--code", f"{self.module}:wf", "--format", "json", *more)
        assert done.exit_code in {0, 1}, done.output
        return done.exit_code, json.loads(done.stdout)["impacts"]

    def is_read(self, value: Any) -> bool:
        """Tell whether a value that the writer's model accepts is accepted by the reader's."""
        workflow = importlib.import_module(self.module)
        body = workflow.wf.start(workflow.Paid(value=value), workflow_id="1").body
        try:
            workflow.wf.process("booking", body)
        except StampError:
            return False
        return True


@pytest.fixture
def code(here: Path, stamp: Any) -> Code:
    return Code(here, stamp)


CHANGES: dict[str, tuple[str, str, str, str, Any]] = {
    # before, after, as the view reads it, the rule, and a value that shows it
    "a Literal grows": ('Literal["card"]', 'Literal["card", "cash"]', 'Literal["card"]', "values-narrowed", "cash"),
    "a Literal becomes any text": ('Literal["card"]', "str", 'Literal["card"]', "values-narrowed", "C-17"),
    "members grow": ("Literal[Size.SMALL]", "Size", "Literal[Size.SMALL]", "values-narrowed", "LARGE"),
    "a bound grows": ("conint(le=999)", "conint(le=9999)", "conint(le=999)", "range-narrowed", 1000),
    "a bound goes": ("conint(le=999)", "int", "conint(le=999)", "range-narrowed", 1000),
    "a bound of items goes": ("list[PositiveInt]", "list[int]", "list[PositiveInt]", "range-narrowed", [0]),
    "a multiple goes": ("conint(multiple_of=5)", "int", "conint(multiple_of=5)", "range-narrowed", 6),
    "infinity comes": ("FiniteFloat", "float", "FiniteFloat", "range-narrowed", float("inf")),
    "a text grows": ("constr(max_length=3)", "constr(max_length=5)", "constr(max_length=3)", "length-narrowed", "xxxx"),
    "an empty list comes": (
        "Annotated[list[int], Field(min_length=1)]",
        "list[int]",
        "Annotated[list[int], Field(min_length=1)]",
        "length-narrowed",
        [],
    ),
    "a URL becomes text": ("HttpUrl", "str", "HttpUrl", "format-narrowed", "C-17"),
    "a URL of any scheme": ("HttpUrl", "AnyUrl", "HttpUrl", "format-narrowed", "ftp://example.com/"),
    "a Decimal becomes text": ("Decimal", "str", "Decimal", "format-narrowed", "C-17"),
    "a UUID becomes text": ("UUID", "str", "UUID", "text-read-as-uuid", "C-17"),
    "a pattern goes": ('constr(pattern="^[A-Z]+$")', "str", 'constr(pattern="^[A-Z]+$")', "format-narrowed", "C-17"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_writer_that_writes_more_than_a_view_takes_is_an_error_with_a_value(code: Code, case: str) -> None:
    before, after, view, rule, value = CHANGES[case]
    code.export(before, view)
    code.keep()
    assert code.export(after, view) == ["Paid.v2.avsc"]

    status, findings = code.check()

    assert status == 1
    assert {each["rule"] for each in findings} == {"view-breaks"}
    cause, *_ = [cause for each in findings for cause in each["causes"] if cause["rule"] == rule]
    shown = json.loads(cause["witness"]["datum"])["value"]
    assert shown == ("inf" if value == float("inf") else value)
    assert not code.is_read({"LARGE": 2}.get(shown, value) if isinstance(shown, str) else value)


@pytest.mark.parametrize("case", CHANGES)
def test_the_other_way_round_is_silent(code: Code, case: str) -> None:
    before, after, view, _, _ = CHANGES[case]
    code.export(after, after)
    code.keep()
    code.export(before, after)
    assert code.check("--prove") == (0, [])
    code.export(before, view)
    _, findings = code.check()
    assert {each["rule"] for each in findings} <= {"old-data-breaks", "no-safe-order"}


def test_a_view_that_takes_less_than_before_is_an_error(code: Code) -> None:
    code.export("int", "int")
    code.keep()
    assert code.export("int", "conint(le=999)") == ["payment.avsc"]
    status, (finding,) = code.check()
    assert (status, finding["rule"], finding["causes"][0]["rule"]) == (1, "view-breaks", "range-narrowed")


def test_writer_and_view_that_take_less_leave_old_data(code: Code) -> None:
    code.export("int", "int")
    code.keep()
    assert code.export("conint(le=999)", "conint(le=999)") == ["Paid.v2.avsc", "payment.avsc"]
    status, (finding, _) = code.check()
    assert (status, finding["rule"], finding["causes"][0]["rule"]) == (1, "old-data-breaks", "range-narrowed")


def test_a_tag_that_is_renamed_is_an_error(code: Code) -> None:
    union = 'Annotated[Card | Cash, Field(discriminator="kind")]'
    view = union.replace("Card ", "CardView ")
    code.export(union, view)
    code.keep()
    assert code.export(union, view, "credit") == ["Paid.v2.avsc"]
    status, (finding,) = code.check()
    assert (status, finding["path"]) == (1, "payment.value.kind")
    assert json.loads(finding["causes"][0]["witness"]["datum"]) == {"value": {"pay.payment.Card": {"kind": "credit"}}}


def test_the_view_goes_first_where_both_take_more(code: Code, stamp: Any) -> None:
    code.export("conint(le=999)", "conint(le=999)")
    code.keep()
    code.export("conint(le=9999)", "conint(le=9999)")
    status, findings = code.check()
    assert (status, [(each["rule"], each["severity"]) for each in findings]) == (0, [("new-data-breaks", "warning")])
    told = " ".join(stamp("plan", "--against", "before").stdout.split())
    assert told.index("booking") < told.index("payment")


def test_what_is_code_is_named(code: Code) -> None:
    code.export("int", "int\n\n    @field_validator('value')\n    @classmethod\n    def odd(cls, value): return value")
    code.keep()
    status, (finding,) = code.check()
    assert (status, finding["rule"], finding["severity"]) == (0, "validator-unseen", "info")
    assert "not seen: View.value has a validator" in finding["message"]


# -- contracts from before


def forget(folder: Path) -> None:
    """Make contracts what they were before they said what models enforce."""

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(each) for each in value]
        if isinstance(value, dict):
            return {key: without(each) for key, each in value.items() if key not in {"stamp", "constraints"}}
        return value

    for file in (*folder.rglob("*.avsc"), *folder.rglob("step.json")):
        file.write_text(json.dumps(without(json.loads(file.read_text())), indent=2) + "\n")


def test_contracts_from_before_stay_as_they_are_and_turn_no_check_red(code: Code, here: Path) -> None:
    code.export("conint(le=999)", "conint(le=999)")
    forget(here / "schemas/pay")
    code.keep()
    first = here / "schemas/pay/payment/Paid.v1.avsc"
    was = first.read_bytes()

    assert code.stamp("check", "--against", "before").exit_code == 0
    assert code.export("conint(le=999)", "conint(le=999)") == ["Paid.v2.avsc", "step.json", "payment.avsc"]
    assert first.read_bytes() == was
    assert code.check("--prove") == (0, [])

    code.keep()
    code.export("conint(le=9999)", "conint(le=999)")
    status, (finding,) = code.check()
    assert (status, finding["rule"], finding["causes"][0]["rule"]) == (1, "view-breaks", "range-narrowed")


def test_contracts_from_before_without_constraints_need_no_export(code: Code, here: Path) -> None:
    code.export("int", "int")
    forget(here / "schemas/pay")
    code.keep()
    assert code.export("int", "int") == []
    assert code.check() == (0, [])


def test_of_a_writer_from_before_a_check_says_what_it_does_not_know(code: Code, here: Path) -> None:
    code.export("int", "int")
    forget(here / "schemas/pay/payment")
    code.keep()
    code.export("int", "conint(le=999)")
    status, (finding,) = code.check()
    assert (status, finding["rule"], finding["severity"]) == (0, "view-breaks", "warning")
    assert "its file is from before contracts said what models enforce" in finding["message"]


def test_a_released_file_is_not_edited(code: Code, here: Path) -> None:
    code.export("conint(le=999)", "int")
    code.keep()
    file = here / "schemas/pay/payment/Paid.v1.avsc"
    file.write_text(file.read_text().replace("999", "9999"))
    done = code.stamp("check", "--against", "before")
    assert done.exit_code == 1
    assert "Paid.v1 of payment is released and was edited in what it says that the model enforces" in " ".join(
        done.stdout.split()
    )


# -- the models themselves

EVEN = "int\n\n    @field_validator('value')\n    @classmethod\n    def even(cls, value):\n        assert value % 2 == 0, 'odd'\n        return value"


def test_with_the_code_at_hand_the_readers_model_is_tried(code: Code) -> None:
    code.export("conint(ge=0, le=10)", EVEN)
    code.keep()
    assert code.check()[0] == 0
    status, findings = code.check("--prove")
    (refuses,) = [each for each in findings if each["rule"] == "model-refuses"]
    (cause,) = refuses["causes"]
    assert (status, refuses["severity"], refuses["path"]) == (1, "error", "payment.value")
    assert "odd" in cause["message"]
    assert json.loads(cause["witness"]["datum"])["value"] % 2 == 1


def test_data_that_the_writers_own_model_refuses_are_not_tried(code: Code) -> None:
    code.export(EVEN, EVEN)
    code.keep()
    assert {each["rule"] for each in code.check("--prove")[1]} == {"validator-unseen"}


def test_what_a_writer_elsewhere_may_see_to_is_a_warning(code: Code, here: Path) -> None:
    code.export(EVEN, EVEN)
    code.keep()
    source = (here / f"{code.module}.py").read_text()
    (here / "reader.py").write_text(source.replace('wf.starts("payment", Paid, emits="Paid")\n', ""))
    code.module = "reader"
    status, findings = code.check("--prove")
    assert (status, {(each["rule"], each["severity"]) for each in findings}) == (
        0,
        {("validator-unseen", "info"), ("model-refuses", "warning")},
    )

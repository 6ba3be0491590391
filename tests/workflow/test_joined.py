"""Several `Workflow` objects of one name are one workflow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from stamp import Envelope, Workflow
from stamp.envelope.limits import Limits
from stamp.errors import WorkflowError
from stamp.workflow import export


class Order(BaseModel):
    text: str


class Packed(BaseModel):
    weight: int


class Sent(BaseModel):
    weight: int


def orders(**options: Any) -> Workflow:
    workflow = Workflow("shop", **{"contracts": "/nonexistent", **options})
    workflow.starts("order", Order, emits="Ordered")
    return workflow


def packing(**options: Any) -> Workflow:
    workflow = Workflow("shop", **{"contracts": "/nonexistent", **options})

    @workflow.step(on="Ordered", emits="Packed")
    def packing(order: Order) -> Packed:
        return Packed(weight=len(order.text))

    return workflow


def sending(**options: Any) -> Workflow:
    workflow = Workflow("shop", **{"contracts": "/nonexistent", **options})

    @workflow.step(on="Packed", emits="Sent")
    def sending(packing: Packed) -> Sent:
        return Sent(weight=packing.weight)

    return workflow


def test_it_has_the_steps_of_all_in_their_order() -> None:
    joined = Workflow.joined(orders(), sending(), packing())

    joined.check()
    assert list(joined.steps) == ["order", "sending", "packing"]
    ordered = joined.start(Order(text="four"), workflow_id="1")
    [packed] = joined.process("packing", ordered.body)
    [sent] = joined.process("sending", packed.body)
    assert Envelope.from_bytes(sent.body, catalog=joined.catalog).state() == {"text": "four", "weight": 4}


def test_the_parts_stay_as_they_are() -> None:
    first, second = orders(), packing()
    joined = Workflow.joined(first, second)

    @joined.step(on="Ordered", emits="Noted")
    def note(order: Order) -> Order:
        return order

    assert (list(first.steps), list(second.steps)) == (["order"], ["packing"])
    assert "note" not in Workflow.joined(first, second).steps


def test_records_keep_the_names_that_they_have() -> None:
    joined = Workflow.joined(orders(), packing(namespace="com.example.packing"), sending(namespace=""))

    names = {name: step.emissions for name, step in joined.steps.items()}
    schemas = {name: next(iter(each.values())).binding.schema for name, each in names.items()}
    full = {name: ".".join(filter(None, (each.get("namespace"), each["name"]))) for name, each in schemas.items()}
    assert full == {
        "order": "shop.order.Order",
        "packing": "com.example.packing.packing.Packed",
        "sending": "sending.Sent",
    }


def test_contracts_are_those_that_the_parts_would_write(tmp_path: Path) -> None:
    parts = [orders(), packing(namespace="com.example"), sending()]
    export(Workflow.joined(*parts), tmp_path / "joined")
    for each in parts:
        export(each.with_contracts(tmp_path / "apart"))

    def files(folder: str) -> dict[Path, bytes]:
        found = (file for file in (tmp_path / folder).rglob("*") if file.is_file())
        return {file.relative_to(tmp_path / folder): file.read_bytes() for file in found}

    assert files("joined") == files("apart")


def test_one_object_several_times_is_itself() -> None:
    shop = orders()

    assert list(Workflow.joined(shop, packing(), shop, shop.with_contracts("/nonexistent")).steps) == [
        "order",
        "packing",
    ]


def shared(order: Order) -> Packed:
    return Packed(weight=len(order.text))


def twice() -> tuple[Workflow, Workflow]:
    """Two objects with the same steps: one model, and one function."""
    both = orders(), orders()
    for each in both:
        each.step(on="Ordered", emits="Packed")(shared)
    return both


def test_the_same_step_in_several_is_there_once() -> None:
    assert list(Workflow.joined(*twice()).steps) == ["order", "shared"]


def other_limits() -> Workflow:
    return packing(limits=Limits(contributions=7))


def other_start() -> Workflow:
    workflow = Workflow("shop", contracts="/nonexistent")
    workflow.starts("order", Sent, emits="Ordered")
    return workflow


def other_events() -> Workflow:
    workflow = Workflow("shop", contracts="/nonexistent")
    workflow.step(on="Packed", emits="Packed")(shared)
    return workflow


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "expected at least one workflow, got none"),
        ([orders(), Workflow("ticket")], "expected workflows of one name, got 'shop' and 'ticket'"),
        ([orders(), other_start()], f"order: expected one step of that name, got another one at {__file__}:"),
        ([packing(), packing()], f"packing: expected one step of that name, got another one at {__file__}:"),
        ([twice()[0], other_events()], "shared: expected one step of that name, got another one at "),
        ([orders(), other_limits()], "shop: expected workflows with the same limits, got Limits("),
        ([orders(), packing(contracts="/elsewhere")], "one contracts folder, got /nonexistent and /elsewhere: say which"),
    ],
)  # fmt: skip
def test_what_cannot_be_one_workflow_is_refused(parts: list[Workflow], said: str) -> None:
    with pytest.raises(WorkflowError, match=re.escape(said)):
        Workflow.joined(*parts)


def test_the_contracts_folder_can_be_said(tmp_path: Path) -> None:
    export(orders(), tmp_path)
    joined = Workflow.joined(packing(contracts="/here"), sending(contracts="/there"), contracts=tmp_path)

    joined.check()
    assert list(joined.parties) == ["packing", "sending", "order"]

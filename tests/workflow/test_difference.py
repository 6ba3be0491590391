"""What lies in a folder otherwise than it is announced, and what would bring the folder up to date."""

from __future__ import annotations

import json

import pytest

from stamp.errors import ContractError
from stamp.ripple.example import files
from stamp.schema.identity import SchemaId
from stamp.workflow.announced import announced
from stamp.workflow.announcement import folder_documents
from stamp.workflow.difference import difference

STEP = {
    "on": ["Ordered"],
    "emits": {"Paid": "Payment"},
    "reads": {"order": {"id": "string"}},
    "writes": {"Payment.v1": {"sum": "long"}},
}
WIDER = STEP | {"writes": STEP["writes"] | {"Payment.v2": {"sum": "long", "note": "string"}}}
OTHER = STEP | {"writes": STEP["writes"] | {"Payment.v2": {"sum": "long", "text": "string"}}}
FEWER = STEP | {"reads": {"stock": {"n": "int"}}}


def lay(folder, step):
    for name, text in files({"payment": step}, workflow="shop").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder / "shop/payment"


def compared(tmp_path, here, there):
    announced_ = announced(folder_documents(lay(tmp_path / "there", there)), "shop").steps["payment"]
    home = tmp_path / "here/shop/payment" if here is None else lay(tmp_path / "here", here)
    return difference(home, announced_)


def names(found, files):
    return sorted(file.relative_to(found.home).as_posix() for file in files)


@pytest.mark.parametrize(
    ("here", "there", "missing", "said", "stale", "ahead"),
    [
        (STEP, STEP, [], [], [], ()),
        (STEP, WIDER, ["Payment.v2.avsc"], [], [], ()),
        (WIDER, STEP, [], [], [], ("Payment.v2",)),
        (STEP, FEWER, [], ["reads/stock.avsc", "step.json"], ["reads/order.avsc"], ()),
        (STEP, STEP | {"on": ["Other"]}, [], ["step.json"], [], ()),
        (None, STEP, ["Payment.v1.avsc"], ["reads/order.avsc", "step.json"], [], ()),
    ],
)
def test_differences(tmp_path, here, there, missing, said, stale, ahead):
    found = compared(tmp_path, here, there)

    assert names(found, found.missing) == missing
    assert names(found, found.said) == said
    assert names(found, found.stale) == stale
    assert (found.ahead, found.is_new) == (ahead, here is None)


def test_what_is_not_to_be_replaced_stays(tmp_path):
    found = compared(tmp_path, STEP, FEWER | {"writes": WIDER["writes"]})

    added = found.changes(replace=False)
    assert (names(found, added.write), list(added.remove)) == (["Payment.v2.avsc"], [])
    replaced = found.changes(replace=True)
    assert names(found, replaced.write) == ["Payment.v2.avsc", "reads/stock.avsc", "step.json"]
    assert names(found, replaced.remove) == ["reads/order.avsc"]


def test_another_schema_under_the_number_of_a_released_file_is_refused_and_both_are_named(tmp_path):
    with pytest.raises(ContractError, match=r"Payment\.v2 of payment") as refused:
        compared(tmp_path, OTHER, WIDER)
    for side in ("here", "there"):
        schema = next((tmp_path / side).rglob("Payment.v2.avsc")).read_text()
        assert str(SchemaId.of(json.loads(schema))) in str(refused.value)
    assert refused.value.file.endswith("here/shop/payment/Payment.v2.avsc")


def test_a_gap_is_refused(tmp_path):
    there = lay(tmp_path / "there", WIDER)
    documents = {key: text for key, text in folder_documents(there).items() if ".v1." not in key}
    found = difference(tmp_path / "here/shop/payment", announced(documents, "shop").steps["payment"])

    with pytest.raises(ContractError, match=r"expected Payment.v1.avsc before this one"):
        found.changes(replace=True)

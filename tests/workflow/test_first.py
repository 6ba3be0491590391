"""Which run an event begins, and with what: what two starts have in common when they are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from stamp import Envelope, Workflow
from stamp.envelope import wire
from stamp.envelope.limits import LIMITS
from stamp.errors import WireError
from stamp.workflow.first import start

SHOP = Workflow("shop", contracts="/nowhere")


class Order(BaseModel):
    text: str


class Gift(BaseModel):
    text: str


class Paid(BaseModel):
    total: int


SHOP.starts("order", Order, emits="Ordered")
SHOP.starts("gift", Gift, emits="Given")


@SHOP.step(on=["Ordered", "Given"], emits="Paid")
def payment(order: Order | None) -> Paid:
    return Paid(total=1)


def of(model=Order, text="lamp", run="1", at=1_000_000, **attributes):
    clock = SHOP.with_clock(lambda: at)
    return start(clock.start(model(text=text), workflow_id=run, attributes=attributes).body, LIMITS)


texts = st.text(st.characters(codec="utf-8"), max_size=5)
starts = st.tuples(
    st.sampled_from([Order, Gift]),
    texts,
    st.dictionaries(
        texts.filter(lambda name: name not in {"deadline", "traceparent", "tracestate"}), texts, max_size=3
    ),
)


@given(starts, starts)
def test_two_starts_are_the_same_when_step_content_and_attributes_are(one, other):
    assert of(one[0], one[1], **one[2]).run == of(other[0], other[1], **other[2]).run
    assert (of(one[0], one[1], **one[2]) == of(other[0], other[1], **other[2])) is (one == other)


@given(texts.filter(bool), texts.filter(bool))
def test_each_run_has_a_key_of_its_own(one, other):
    assert (of(run=one).run == of(run=other).run) is (one == other)


def test_times_traces_and_the_order_of_attributes_do_not_matter():
    assert of(at=1, a="1", b="2") == of(at=2, b="2", a="1") == of(a="1", b="2", traceparent="00-1-2-01", tracestate="x")


def test_the_array_may_have_any_legal_form():
    body = SHOP.start(Order(text="lamp"), workflow_id="1").body
    _, at = wire.read_header(body)
    item = bytes(Envelope.from_bytes(body))[at + 3 : -1]
    assert start(body[:at] + b"\2" + item + b"\0", LIMITS) == start(body, LIMITS)


def test_a_later_event_begins_nothing():
    [paid] = SHOP.process("payment", SHOP.start(Order(text="lamp"), workflow_id="1").body)
    assert start(paid.body, LIMITS) is None
    caused = Envelope.from_bytes(paid.body)
    alone = Envelope.begin(caused.workflow, caused.workflow_id, started_at=1).append(caused["payment"])
    assert start(bytes(alone), LIMITS) is None


def test_what_is_no_envelope_is_refused():
    with pytest.raises(WireError):
        start(b"nonsense", LIMITS)

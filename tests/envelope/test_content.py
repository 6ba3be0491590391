"""Two events of one id say the same, or they do not: times, traces, attributes of contributions and encodings make no difference."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.envelope import Contribution, Outcome, Signature, wire
from stamp.envelope.content import content
from stamp.envelope.contribution import encode
from stamp.schema import SchemaId

FIRST = Contribution(
    step="order",
    schema_id=SchemaId(b"s" * 16),
    payload=b"payload",
    event="Ordered",
    event_id=b"1" * 16,
    received_at=5,
    completed_at=7,
)
SECOND = replace(FIRST, step="n" * 70, event="Paid", event_id=b"2" * 16, causes=(b"1" * 16,))
THIRD = replace(FIRST, step="join", event="Told", event_id=b"3" * 16, causes=(b"1" * 16, b"2" * 16))
HEADER = wire.Header("shop", "4729", 3, {"tenant": "a"})


def body(header=HEADER, *parts):
    built = wire.begin(header)
    for each in parts or (FIRST, SECOND, THIRD):
        built = wire.append(built, encode(each))
    return built


def in_one_block(header, *parts):
    """The same envelope as another writer may encode it."""
    return wire.begin(header)[:-1] + bytes((len(parts) * 2,)) + b"".join(map(encode, parts)) + b"\0"


def failed(contribution, payload=b"no"):
    return replace(contribution, outcome=Outcome.FAILED, payload=payload)


SAME = {
    "times": body(HEADER, FIRST, replace(SECOND, received_at=2**40, completed_at=2**41), THIRD),
    "attributes of a contribution": body(HEADER, replace(FIRST, attributes={"attempt": "2"}), SECOND, THIRD),
    "signatures": body(HEADER, FIRST, SECOND, replace(THIRD, signatures=(Signature("k", b"v"),))),
    "start": body(HEADER._replace(started_at=9)),
    "trace": body(HEADER._replace(attributes={"tenant": "a", "traceparent": "00-1", "tracestate": "x"})),
    "encoding": in_one_block(HEADER, FIRST, SECOND, THIRD),
}
OTHER = {
    "run": body(HEADER._replace(workflow_id="4730")),
    "workflow": body(HEADER._replace(workflow="shop2")),
    "attribute": body(HEADER._replace(attributes={"tenant": "b"})),
    "no attribute": body(HEADER._replace(attributes={})),
    "payload": body(HEADER, FIRST, SECOND, replace(THIRD, payload=b"forged")),
    "earlier payload": body(HEADER, replace(FIRST, payload=b"forged"), SECOND, THIRD),
    "schema": body(HEADER, FIRST, SECOND, replace(THIRD, schema_id=SchemaId(b"t" * 16))),
    "step": body(HEADER, FIRST, SECOND, replace(THIRD, step="other")),
    "event": body(HEADER, FIRST, SECOND, replace(THIRD, event="Lost")),
    "causes": body(HEADER, FIRST, SECOND, replace(THIRD, causes=(b"1" * 16,))),
    "outcome": body(HEADER, FIRST, SECOND, replace(THIRD, outcome=Outcome.COMPENSATED)),
    "failed": body(HEADER, FIRST, SECOND, failed(THIRD)),
    "one more before": body(HEADER, FIRST, FIRST, SECOND, THIRD),
    "one less": body(HEADER, FIRST, THIRD),
    "none": wire.begin(HEADER),
    "no envelope": b"hello",
    "cut": body()[:-1],
}


@pytest.mark.parametrize("name", SAME)
def test_work_done_again_says_the_same(name):
    assert SAME[name] != body()
    assert content(SAME[name]) == content(body())


@pytest.mark.parametrize("name", OTHER)
def test_another_event_says_something_else(name):
    assert content(OTHER[name]) != content(body())
    assert len(content(OTHER[name])) == 16


def test_failures_say_the_same_whatever_their_texts():
    assert content(body(HEADER, FIRST, failed(SECOND, b"at 0x1"))) == content(body(HEADER, FIRST, failed(SECOND)))
    assert content(body(HEADER, FIRST, failed(SECOND))) != content(body(HEADER, FIRST, failed(THIRD)))


@given(
    st.binary(max_size=200)
    | st.builds(lambda at, by: body()[:at] + bytes((by,)) + body()[at + 1 :], st.integers(0, 400), st.integers(0, 255))
)
def test_whatever_comes_has_a_digest(data):
    assert len(content(data)) == 16

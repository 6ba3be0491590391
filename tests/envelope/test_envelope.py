"""The laws of the envelope: round trip, append, prefix, merge, state."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from stamp.envelope import Contribution, Envelope, Failure, Limits, Outcome, Signature, document, wire
from stamp.envelope.contribution import encode
from stamp.envelope.format import ENVELOPE, MAGIC
from stamp.errors import (
    LimitError,
    MissingContributionError,
    ResolutionError,
    UnknownSchemaError,
    WireError,
    WorkflowError,
)
from stamp.schema import Catalog, SchemaId, avro_schema, bind

MICROS = 1_767_323_045_678_901


class Ticket(BaseModel):
    ticket_id: str
    priority: str = "LOW"


class Priority(BaseModel):
    priority: str


TICKET = SchemaId.of(avro_schema(Ticket))
CATALOG = Catalog().with_schema(avro_schema(Ticket)).with_schema(avro_schema(Priority))


def contribution(number: int = 0, **changes: Any) -> Contribution:
    fields: dict[str, Any] = {
        "step": f"step{number}",
        "schema_id": TICKET,
        "payload": bind(Ticket).encode(Ticket(ticket_id=str(number))),
        "event": f"Event{number}",
        "event_id": bytes(15) + bytes([number + 1]),
        "causes": (bytes(15) + bytes([number]),) if number else (),
        "received_at": MICROS + number * 1000,
        "completed_at": MICROS + number * 1000 + 500,
    }
    return Contribution(**(fields | changes))


def envelope(count: int = 0, **header: Any) -> Envelope:
    empty = Envelope.begin("ticket", "4729", started_at=MICROS, catalog=CATALOG, **header)
    return functools.reduce(Envelope.append, map(contribution, range(count)), empty)


texts = st.text(max_size=20)
ids = st.binary(min_size=16, max_size=16)
micros = st.integers(-62135596800_000_000, 253402300799_999_999)
contributions = st.builds(
    Contribution,
    step=st.text(min_size=1, max_size=100),
    schema_id=ids.map(SchemaId),
    payload=st.binary(max_size=300),
    event=texts,
    event_id=ids,
    causes=st.lists(ids, max_size=3).map(tuple),
    received_at=micros,
    completed_at=micros,
    outcome=st.sampled_from(Outcome),
    attributes=st.dictionaries(texts, texts, max_size=3),
    signatures=st.lists(st.builds(Signature, key_id=texts, value=st.binary(max_size=70)), max_size=2).map(tuple),
)
headers = st.fixed_dictionaries({"attributes": st.dictionaries(texts, texts, max_size=3), "started_at": micros})


def built(header: dict[str, Any], parts: Sequence[Contribution]) -> Envelope:
    return functools.reduce(Envelope.append, parts, Envelope.begin("ticket", "4729", **header))


@given(headers, st.lists(contributions, max_size=5))
@settings(max_examples=100, deadline=None)
def test_what_is_appended_is_what_is_read(header: dict[str, Any], parts: list[Contribution]) -> None:
    read = Envelope.from_bytes(bytes(built(header, parts)))
    assert list(read.contributions) == parts
    assert (read.workflow, read.workflow_id) == ("ticket", "4729")
    assert (read.started_at, read.attributes) == (header["started_at"], header["attributes"])


@given(headers, st.lists(contributions, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_every_earlier_event_is_a_byte_prefix(header: dict[str, Any], parts: list[Contribution]) -> None:
    last = built(header, parts)
    for number in range(len(parts)):
        earlier = built(header, parts[: number + 1])
        assert bytes(last).startswith(bytes(earlier)[:-1])
        assert last.at(number) == earlier


@given(headers, st.lists(contributions, max_size=4))
@settings(max_examples=50, deadline=None)
def test_appending_equals_encoding_the_whole(header: dict[str, Any], parts: list[Contribution]) -> None:
    """fastavro reads our bytes with the published schema alone; what it writes again is the same envelope."""
    ours = built(header, parts)
    schema = fastavro.parse_schema(without_logical_types(ENVELOPE))
    datum: Any = fastavro.schemaless_reader(io.BytesIO(bytes(ours)[10:]), schema, None)
    assert [part["payload"] for part in datum["contributions"]] == [part.payload for part in parts]
    whole = io.BytesIO()
    fastavro.schemaless_writer(whole, schema, datum)
    foreign = Envelope.from_bytes(MAGIC + whole.getvalue())
    assert foreign == ours
    assert bytes(foreign) == MAGIC + whole.getvalue()
    extra = contribution(9)
    assert bytes(foreign.append(extra)) == bytes(ours.append(extra))


def without_logical_types(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: without_logical_types(value) for key, value in node.items() if key != "logicalType"}
    return [without_logical_types(each) for each in node] if isinstance(node, list) else node


# -- foreign encodings of the array


def zigzag(number: int) -> bytes:
    out, number = bytearray(), (number << 1) ^ (number >> 63)
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def blocks(items: Sequence[bytes], sizes: Sequence[int], *, sized: bool) -> bytes:
    out, rest = b"", list(items)
    for size in sizes:
        block, rest = rest[:size], rest[size:]
        joined = b"".join(block)
        out += zigzag(-len(block)) + zigzag(len(joined)) + joined if sized else zigzag(len(block)) + joined
    return out + b"\0"


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("sizes", [(5,), (2, 3), (1, 1, 1, 2), (4, 1)])
def test_any_legal_array_encoding_is_read_and_made_canonical_on_append(sizes: tuple[int, ...], sized: bool) -> None:
    from stamp.envelope.contribution import encode

    ours = envelope(5)
    parts = [encode(contribution(number)) for number in range(5)]
    foreign = Envelope.from_bytes(bytes(envelope())[:-1] + blocks(parts, sizes, sized=sized), catalog=CATALOG)
    assert foreign == ours
    assert bytes(foreign.append(contribution(5))) == bytes(ours.append(contribution(5)))
    assert foreign.at(2) == ours.at(2)


# -- merge


@st.composite
def branches(draw: st.DrawFn) -> list[Envelope]:
    """Envelopes of one run: each grows from an earlier one, so that they share history and differ in branches."""
    grown = [envelope(1)]
    for number in range(1, draw(st.integers(2, 7))):
        parent = draw(st.sampled_from(grown))
        made = contribution(
            number, causes=(parent.contributions[-1].event_id,), completed_at=draw(st.integers(MICROS, MICROS + 5))
        )
        grown.append(parent.append(made))
    return grown


@given(branches(), st.data())
@settings(max_examples=150, deadline=None)
def test_merge_is_commutative_associative_and_idempotent(grown: list[Envelope], data: st.DataObject) -> None:
    a, b, c = (data.draw(st.sampled_from(grown)) for _ in range(3))
    assert bytes(a.merge(a)) == bytes(a)
    assert bytes(a.merge(b)) == bytes(b.merge(a))
    assert bytes(a.merge(b).merge(c)) == bytes(a.merge(b.merge(c)))
    assert bytes(a.merge(b).merge(b)) == bytes(a.merge(b))


@given(branches())
@settings(max_examples=50, deadline=None)
def test_any_order_of_events_gives_one_history_with_causes_first(grown: list[Envelope]) -> None:
    forwards, backwards = functools.reduce(Envelope.merge, grown), functools.reduce(Envelope.merge, reversed(grown))
    assert bytes(forwards) == bytes(backwards)
    seen: set[bytes] = set()
    for each in forwards.contributions:
        assert set(each.causes) <= seen | {bytes(16)}
        seen.add(each.event_id)


def test_the_same_work_done_twice_is_merged_into_the_first_that_was_completed() -> None:
    first, again = contribution(1, completed_at=MICROS + 10), contribution(1, completed_at=MICROS + 20)
    start = envelope(1)
    merged = start.append(again).merge(start.append(first))
    assert merged.contributions[1:] == (first,)


def test_causes_in_a_circle_do_not_hang() -> None:
    one = contribution(1, causes=(contribution(2).event_id,))
    two = contribution(2, causes=(one.event_id,))
    ring = envelope().append(one).append(two)
    assert len(ring.merge(ring).contributions) == 2


def test_envelopes_of_two_runs_cannot_be_merged() -> None:
    with pytest.raises(WorkflowError, match="same run"):
        envelope(1).merge(Envelope.begin("ticket", "4730", started_at=MICROS))


def test_a_run_that_was_started_twice_began_with_the_earlier_start() -> None:
    again = Envelope.begin("ticket", "4729", started_at=MICROS + 5).append(contribution(0)).append(contribution(1))
    merged = envelope(1).merge(again)
    assert bytes(merged) == bytes(again.merge(envelope(1))) == bytes(envelope(2))


def test_merging_keeps_the_bytes_of_a_foreign_contribution() -> None:
    from stamp.envelope.contribution import encode

    plain = encode(contribution(0, attributes={"k": "v"}))
    foreign = plain.replace(b"\2\2k\2v\0", b"\1\x08\2k\2v\0")
    assert plain != foreign
    read = Envelope.from_bytes(bytes(envelope())[:-1] + b"\1" + zigzag(len(foreign)) + foreign + b"\0")
    assert bytes(read.merge(read)) == bytes(read)


def test_merging_takes_the_larger_limits() -> None:
    small = Envelope.from_bytes(bytes(envelope(1)), limits=Limits(contributions=1))
    assert small.merge(envelope(2)) == envelope(2).merge(small) == envelope(2)


# -- reading


def test_read_gives_the_view_of_the_latest_contribution() -> None:
    later = contribution(3, step="step1", payload=bind(Ticket).encode(Ticket(ticket_id="x", priority="HIGH")))
    assert envelope(3).append(later).read("step1", Priority) == Priority(priority="HIGH")
    assert envelope(3).read("step1", Priority) == Priority(priority="LOW")


def test_a_failure_is_read_by_a_view_of_failure_only() -> None:
    failure = Failure(type="Fail", message="no expert free", detail={"team": "network"})
    failed = contribution(
        1,
        step="step0",
        payload=bind(Failure).encode(failure),
        schema_id=SchemaId.of(avro_schema(Failure)),
        outcome=Outcome.FAILED,
    )
    whole = envelope(1).append(failed)
    assert whole.read("step0", Failure) == failure
    assert whole.read("step0", Ticket) == Ticket(ticket_id="0")
    assert whole.state() == envelope(1).state() | {"step0.failure": failure.model_dump()}
    assert whole.provenance()["step0.failure"].step == "step0"
    assert "step0.failure" not in whole.append(contribution(3, step="step0")).state(), "it has succeeded since"
    with pytest.raises(MissingContributionError):
        envelope(1).read("step0", Failure)


def test_a_view_with_a_field_that_nobody_wrote_says_so() -> None:
    class Other(BaseModel):
        solution: str

    with pytest.raises(ResolutionError, match=r"step0\.solution: .*no default"):
        envelope(1).read("step0", Other)


def test_a_view_that_refuses_a_value_says_which() -> None:
    from typing import Literal

    class Urgent(BaseModel):
        priority: Literal["HIGH"]

    with pytest.raises(
        ResolutionError, match=r'step0\.priority: the view Urgent refuses it: expected .HIGH., got "LOW"'
    ):
        envelope(1).read("step0", Urgent)


def test_a_step_that_has_not_contributed_is_missing() -> None:
    with pytest.raises(MissingContributionError, match=r"expected a contribution of 'billing'.*got step0, step1"):
        envelope(2).read("billing", Ticket)
    with pytest.raises(MissingContributionError):
        envelope(2)["billing"]
    assert "billing" not in envelope(2)
    assert envelope(2)["step1"] == contribution(1)


def test_an_unknown_schema_names_id_workflow_and_step() -> None:
    unknown = Envelope.from_bytes(bytes(envelope(1)))
    with pytest.raises(UnknownSchemaError) as caught:
        unknown.state()
    for word in (str(TICKET), "ticket", "step0"):
        assert word in str(caught.value)


def test_state_is_the_latest_value_of_each_field_and_provenance_says_whose() -> None:
    changed = contribution(
        2, payload=bind(Priority).encode(Priority(priority="HIGH")), schema_id=SchemaId.of(avro_schema(Priority))
    )
    whole = envelope(2).append(changed)
    assert whole.state() == {"ticket_id": "1", "priority": "HIGH"}
    provenance = whole.provenance()
    assert {name: source.step for name, source in provenance.items()} == {"ticket_id": "step1", "priority": "step2"}
    assert provenance["priority"].completed_at == datetime.fromtimestamp(0, UTC) + timedelta(
        microseconds=changed.completed_at
    )
    assert whole.at("Event1").state() == {"ticket_id": "1", "priority": "LOW"}


def test_at_takes_an_event_or_an_index_and_refuses_what_is_not_there() -> None:
    whole = envelope(3)
    assert whole.at("Event1") == whole.at(1) == whole.at(-2) == envelope(2)
    for wrong in ("Event9", 3, -4):
        with pytest.raises(MissingContributionError):
            whole.at(wrong)


def test_timeline_tells_queue_work_and_total() -> None:
    moments = envelope(2).timeline()
    assert [(m.step, m.queued, m.working, m.total) for m in moments] == [
        ("step0", timedelta(0), timedelta(microseconds=500), timedelta(microseconds=500)),
        ("step1", timedelta(microseconds=500), timedelta(microseconds=500), timedelta(microseconds=1500)),
    ]


def test_the_document_is_json_and_holds_the_history() -> None:
    unreadable = contribution(2, schema_id=SchemaId(bytes(16)))
    shown = json.loads(json.dumps(document(envelope(2).append(unreadable))))
    assert [part["step"] for part in shown["contributions"]] == ["step0", "step1", "step2"]
    assert shown["contributions"][1]["data"] == {"ticket_id": "1", "priority": "LOW"}
    assert "payload" in shown["contributions"][2]
    assert "0" * 32 in shown["contributions"][2]["problem"]
    assert shown["state"]["ticket_id"]["value"] == "1"
    assert shown["state"]["ticket_id"]["step"] == "step1"


def test_the_document_shows_payloads_until_there_are_enough_values(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = document(envelope(3))
    assert all("data" in part for part in whole["contributions"])
    monkeypatch.setattr("stamp.envelope.payloads.MAX_VALUES", 4)  # three of the first payload, the second is begun
    shown = document(envelope(3))
    assert ["data" in part for part in shown["contributions"]] == [True, True, False]
    assert shown["contributions"][2]["problem"].startswith("step2: expected at most")


# -- limits and hostile bytes


def test_limits_hold_when_reading_and_when_appending() -> None:
    body = bytes(envelope(3))
    for limits in (Limits(message=len(body) - 1), Limits(contributions=2), Limits(contribution=20)):
        with pytest.raises(LimitError):
            Envelope.from_bytes(body, limits=limits)
    tight = Envelope.from_bytes(body, limits=Limits(message=len(body) + 10))
    with pytest.raises(LimitError, match="with this contribution"):
        tight.append(contribution(3))


def hostile() -> list[Any]:
    body = bytes(envelope(2))
    header = len(bytes(envelope())) - 1
    block = body[header:]
    return [
        pytest.param(b"", "got nothing", id="nothing"),
        pytest.param(body[:5], "only 5 bytes", id="half a magic"),
        pytest.param(b"\xc3\x02" + body[2:], "begins with c301", id="other encoding"),
        pytest.param(body[:2] + bytes(8) + body[10:], "fingerprint", id="other schema"),
        pytest.param(body[:-1], "got the end", id="no end"),
        pytest.param(body + b"\0", "1 more bytes", id="bytes after the end"),
        pytest.param(body[:header] + b"\1\1\0", "size of a block, got -1", id="negative size"),
        pytest.param(
            body[:header] + b"\1" + zigzag(2**62) + b"\0",
            "at most 65536 bytes, got 4611686018427387904",
            id="size of 2^62",
        ),
        pytest.param(body[:header] + b"\1" + zigzag(3) + b"abc" + b"\0", "contributions[0]", id="block of junk"),
        pytest.param(body[:header] + zigzag(2**40) + b"\0", "count of", id="foreign count of 2^40"),
        pytest.param(
            body[:header] + zigzag(-(2**40)) + zigzag(1) + b"\0\0", "count of", id="foreign sized count of 2^40"
        ),
        pytest.param(body[:header] + zigzag(300) + b"\0" * 400, "", id="foreign junk items"),
        pytest.param(body[:header] + b"\1\x80\0" + block[3:], "shortest form", id="overlong size"),
    ]


@pytest.mark.parametrize(("body", "text"), hostile())
def test_hostile_bodies_are_refused_with_a_wire_error(body: bytes, text: str) -> None:
    with pytest.raises(WireError) as caught:
        Envelope.from_bytes(body)
    assert text in str(caught.value)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_bodies_are_read_or_refused_with_a_wire_error(data: st.DataObject) -> None:
    body = bytearray(bytes(envelope(3)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read = Envelope.from_bytes(bytes(body), catalog=CATALOG)
        document(read)
        read.merge(read)
    except WireError:
        pass


def test_times_that_no_calendar_has_are_refused() -> None:
    with pytest.raises(WireError, match="years 1 to 9999"):
        envelope().append(contribution(0, completed_at=2**62))


def test_envelopes_cannot_be_changed() -> None:
    whole = envelope(1)
    with pytest.raises(AttributeError):
        whole.contributions = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        whole.attributes["k"] = "v"  # type: ignore[index]
    assert list(whole) == [contribution(0)]
    assert len(whole) == 1


def test_a_prefix_of_a_foreign_envelope_may_be_longer_than_it_was() -> None:
    from stamp.envelope.contribution import encode

    body = bytes(envelope())[:-1] + blocks([encode(contribution(0))], (1,), sized=False)
    tight = Envelope.from_bytes(body, limits=Limits(message=len(body)))
    assert tight.at(-1) == envelope(1)


def test_envelopes_are_values() -> None:
    assert envelope(2) == Envelope.from_bytes(bytes(envelope(2)))
    assert len({envelope(2), envelope(2), envelope(1)}) == 2
    assert repr(envelope(2)) == f"<Envelope ticket 4729: step0 > step1, {len(bytes(envelope(2)))} bytes>"


def test_framing_stays_under_110_bytes_for_a_contribution() -> None:
    one, two = bytes(envelope(1)), bytes(envelope(2))
    assert len(two) - len(one) - len(contribution(1).payload) <= 110


# -- which event it is, without the rest


@pytest.mark.parametrize("count", [1, 3])
def test_the_latest_event_is_read_without_the_rest(count: int) -> None:
    last = contribution(count - 1)
    assert wire.read_latest(bytes(envelope(count))) == ("ticket", "4729", last.event, last.event_id)


def test_the_latest_event_of_a_foreign_encoding_is_the_same() -> None:
    items = [encode(contribution(number)) for number in range(3)]
    body = bytes(envelope())[:-1] + zigzag(3) + b"".join(items) + b"\0"
    assert wire.read_latest(body) == wire.read_latest(bytes(envelope(3)))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"\xc3\x01", b"\xc3\x01" + b"\0" * 40, bytes(envelope()), bytes(envelope(2))[:-1]]
)
def test_of_what_has_no_event_none_is_read(body: bytes) -> None:
    with pytest.raises(WireError):
        wire.read_latest(body)

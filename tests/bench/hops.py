"""How long one hop takes, against what users would write by hand: `python tests/bench/hops.py`.

A hop takes an envelope with 1, 7, 16 or 64 carried contributions of about 240 bytes, reads two of them whole through pydantic
models, calls a handler, writes one contribution and gives the next body. All rows do the same work on the same data, take turns
in short rounds of one run, and the best round of each counts: ratios hold where single times drift.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import fastavro
import msgspec
import orjson
from pydantic import BaseModel

from stamp import From, Workflow
from stamp.envelope import Contribution, Envelope
from stamp.schema import SchemaId, avro_schema, bind

CARRIED = (1, 7, 16, 64)
AIMS = {("floor", 7): 1.6, ("floor", 64): 2.2, ("pydantic JSON", 7): 0.75, ("pydantic JSON", 64): 0.2}
"""The ratios that `process` should not pass, by baseline and number of carried contributions."""


class Payload(BaseModel):
    """Seven fields, about 240 bytes."""

    ticket_id: str
    category: str
    summary: str
    description: str
    count: int
    score: float
    created_at: datetime


PAYLOAD = Payload(
    ticket_id="4729-0001",
    category="hardware/printer",
    summary="Printer on the second floor does not answer any more",
    description="It worked until yesterday evening. Since the update this morning all jobs stay in the queue, "
    "the display shows E-204 and nothing that we know helps.",
    count=3,
    score=0.75,
    created_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
)
EVENT_ID = bytes(range(16))
MICROS = 1_767_323_045_678_901


def answer(first: Payload, second: Payload) -> Payload:
    """The handler of every row: it makes one new record out of two."""
    return Payload(
        ticket_id=first.ticket_id,
        category=second.category,
        summary=first.summary,
        description=second.description,
        count=4,
        score=0.5,
        created_at=first.created_at,
    )


def chosen(carried: int) -> tuple[int, int]:
    """Return the numbers of the contributions that are read: the first and the middle one, twice the same if there is but one."""
    return 0, carried // 2


def stamp_hop(carried: int, tmp_contracts: str = "/nonexistent") -> tuple[Callable[[], Any], int]:
    workflow = Workflow("bench", contracts=tmp_contracts)
    workflow.starts("origin", Payload, emits="Origin")
    one, two = (f"step{number}" for number in chosen(carried))

    if one == two:

        @workflow.step(on="Event0", emits="Answered")
        def answering(only: Annotated[Payload, From(one)]) -> Payload:
            return answer(only, only)

    else:

        @workflow.step(on=f"Event{carried - 1}", emits="Answered", name="answering")
        def answering_two(first: Annotated[Payload, From(one)], second: Annotated[Payload, From(two)]) -> Payload:
            return answer(first, second)

    body = bytes(envelope(carried, SchemaId.of(workflow.steps["origin"].emissions[Payload].binding.schema)))
    assert len(workflow.process("answering", body)[0].body) > len(body)
    return lambda: workflow.process("answering", body), len(body)


def envelope(carried: int, schema_id: SchemaId) -> Envelope:
    """Return an envelope with that many contributions."""
    built = Envelope.begin("bench", "4729", started_at=MICROS)
    payload = bind(Payload).encode(PAYLOAD)
    for number in range(carried):
        built = built.append(
            Contribution(
                step=f"step{number}",
                schema_id=schema_id,
                payload=payload,
                event=f"Event{number}",
                event_id=number.to_bytes(16, "big"),
                causes=((number - 1).to_bytes(16, "big"),) if number else (),
                received_at=MICROS,
                completed_at=MICROS,
            )
        )
    return built


def floor_hop(carried: int) -> Callable[[], Any]:
    """Only what no typed Avro hop can leave out: the decodes of what is read, the validations, one encode, one copy of the bytes."""
    schema = fastavro.parse_schema(avro_schema(Payload))
    body = bytes(envelope(carried, SchemaId.of(avro_schema(Payload))))
    payload = bind(Payload).encode(PAYLOAD)

    def hop() -> bytes:
        first = second = Payload.model_validate(fastavro.schemaless_reader(io.BytesIO(payload), schema, None))
        if carried > 1:
            second = Payload.model_validate(fastavro.schemaless_reader(io.BytesIO(payload), schema, None))
        written = answer(first, second)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, written.__dict__)
        return body + out.getvalue()

    return hop


class JsonContribution(BaseModel):
    """A contribution as a user would model it."""

    step: str
    event: str
    event_id: str
    causes: list[str]
    received_at: datetime
    completed_at: datetime
    data: dict[str, Any]


class JsonEnvelope(BaseModel):
    """An envelope as a user would model it."""

    workflow: str
    workflow_id: str
    started_at: datetime
    contributions: list[JsonContribution]


def json_envelope(carried: int) -> JsonEnvelope:
    now = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    parts = [
        JsonContribution(
            step=f"step{number}",
            event=f"Event{number}",
            event_id=number.to_bytes(16, "big").hex(),
            causes=[(number - 1).to_bytes(16, "big").hex()] if number else [],
            received_at=now,
            completed_at=now,
            data=PAYLOAD.model_dump(mode="json"),
        )
        for number in range(carried)
    ]
    return JsonEnvelope(workflow="bench", workflow_id="4729", started_at=now, contributions=parts)


def pydantic_hop(carried: int) -> Callable[[], Any]:
    body = json_envelope(carried).model_dump_json().encode()
    one, two = chosen(carried)

    def hop() -> bytes:
        now = datetime.now(UTC)
        read = JsonEnvelope.model_validate_json(body)
        by_step = {each.step: each for each in read.contributions}
        first = second = Payload.model_validate(by_step[f"step{one}"].data)
        if carried > 1:
            second = Payload.model_validate(by_step[f"step{two}"].data)
        read.contributions.append(
            JsonContribution(
                step="answering",
                event="Answered",
                event_id=EVENT_ID.hex(),
                causes=[read.contributions[-1].event_id],
                received_at=now,
                completed_at=now,
                data=answer(first, second).model_dump(mode="json"),
            )
        )
        return read.model_dump_json().encode()

    return hop


def orjson_hop(carried: int) -> Callable[[], Any]:
    body = json_envelope(carried).model_dump_json().encode()
    one, two = chosen(carried)

    def hop() -> bytes:
        now = time.time_ns()
        read = orjson.loads(body)
        by_step = {each["step"]: each for each in read["contributions"]}
        first, second = by_step[f"step{one}"]["data"], by_step[f"step{two}"]["data"]
        data = {**first, "category": second["category"], "description": second["description"], "count": 4, "score": 0.5}
        read["contributions"].append(
            {
                "step": "answering",
                "event": "Answered",
                "event_id": EVENT_ID.hex(),
                "causes": [read["contributions"][-1]["event_id"]],
                "received_at": now,
                "completed_at": now,
                "data": data,
            }
        )
        return orjson.dumps(read)

    return hop


class PackedPayload(msgspec.Struct):
    """Payload as a msgspec struct."""

    ticket_id: str
    category: str
    summary: str
    description: str
    count: int
    score: float
    created_at: datetime


class PackedContribution(msgspec.Struct):
    """A contribution as a msgspec struct; its data are of one type here, which spares msgspec a second pass."""

    step: str
    event: str
    event_id: bytes
    causes: list[bytes]
    received_at: int
    completed_at: int
    data: PackedPayload


class PackedEnvelope(msgspec.Struct):
    """An envelope as a msgspec struct."""

    workflow: str
    workflow_id: str
    started_at: int
    contributions: list[PackedContribution]


def msgspec_hop(carried: int) -> Callable[[], Any]:
    encoder, decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(PackedEnvelope)
    one, two = chosen(carried)
    data = PackedPayload(**PAYLOAD.model_dump())
    parts = [
        PackedContribution(f"step{n}", f"Event{n}", EVENT_ID, [EVENT_ID] if n else [], MICROS, MICROS, data)
        for n in range(carried)
    ]
    body = encoder.encode(PackedEnvelope("bench", "4729", MICROS, parts))

    def hop() -> bytes:
        now = time.time_ns() // 1000
        read = decoder.decode(body)
        by_step = {each.step: each for each in read.contributions}
        first, second = by_step[f"step{one}"].data, by_step[f"step{two}"].data
        written = PackedPayload(
            first.ticket_id, second.category, first.summary, second.description, 4, 0.5, first.created_at
        )
        read.contributions.append(PackedContribution("answering", "Answered", EVENT_ID, [EVENT_ID], now, now, written))
        return encoder.encode(read)

    return hop


def fastavro_hop(carried: int) -> Callable[[], Any]:
    """Decode every contribution, payloads included, and encode all of them again."""
    payload = avro_schema(Payload)
    names = {"type": "array", "items": "bytes"}
    micros = {"type": "long", "logicalType": "timestamp-micros"}
    fields = {"step": "string", "event": "string", "event_id": "bytes", "causes": names, "received_at": micros}
    part = {"type": "record", "name": "Part", "fields": [{"name": n, "type": t} for n, t in fields.items()]}
    part["fields"] += [{"name": "completed_at", "type": micros}, {"name": "data", "type": payload}]
    schema = fastavro.parse_schema(
        {
            "type": "record",
            "name": "Envelope",
            "fields": [
                {"name": "workflow", "type": "string"},
                {"name": "workflow_id", "type": "string"},
                {"name": "started_at", "type": micros},
                {"name": "contributions", "type": {"type": "array", "items": part}},
            ],
        }
    )
    one, two = chosen(carried)
    now = PAYLOAD.created_at
    frame = {"event_id": EVENT_ID, "causes": [EVENT_ID], "received_at": now, "completed_at": now}
    parts = [{"step": f"step{n}", "event": f"Event{n}", **frame, "data": PAYLOAD.model_dump()} for n in range(carried)]
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out, schema, {"workflow": "bench", "workflow_id": "4729", "started_at": now, "contributions": parts}
    )
    body = out.getvalue()

    def hop() -> bytes:
        read: Any = fastavro.schemaless_reader(io.BytesIO(body), schema, None)
        by_step = {each["step"]: each for each in read["contributions"]}
        first = second = Payload.model_validate(by_step[f"step{one}"]["data"])
        if carried > 1:
            second = Payload.model_validate(by_step[f"step{two}"]["data"])
        written = answer(first, second).__dict__
        read["contributions"].append({"step": "answering", "event": "Answered", **frame, "data": written})
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, read)
        return out.getvalue()

    return hop


BASELINES: dict[str, Callable[[int], Callable[[], Any]]] = {
    "floor": floor_hop,
    "pydantic JSON": pydantic_hop,
    "orjson, no types": orjson_hop,
    "msgspec structs": msgspec_hop,
    "fastavro, all of it": fastavro_hop,
}


def best(rows: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the microseconds a call of each row takes in its best round; the rows take turns."""
    calls = dict.fromkeys(rows, 1)
    for name, row in rows.items():
        start = time.perf_counter()
        row()
        calls[name] = max(1, round(0.004 / (time.perf_counter() - start)))
    times = dict.fromkeys(rows, float("inf"))
    for _ in range(rounds):
        for name, row in rows.items():
            start = time.perf_counter()
            for _ in range(calls[name]):
                row()
            times[name] = min(times[name], (time.perf_counter() - start) / calls[name] * 1e6)
    return times


def copying(size: int) -> float:
    """Return the microseconds that one copy of that many bytes takes."""
    body = bytes(size)
    return best({"copy": lambda: b"".join((body, b"x"))}, 50)["copy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="rounds of about 4 ms for each row (default 60)")
    rounds = parser.parse_args().rounds
    print(f"{'carried':>7} {'process':>10}" + "".join(f"  {name:>27}" for name in BASELINES))
    measured = {}
    for carried in CARRIED:
        hop, size = stamp_hop(carried)
        times = best({"process": hop} | {name: make(carried) for name, make in BASELINES.items()}, rounds)
        measured[carried] = times["process"] - copying(size)
        shown = []
        for name in BASELINES:
            ratio, aim = times["process"] / times[name], AIMS.get((name, carried))
            mark = "" if aim is None else f"(<= {aim})" if ratio <= aim else f"(> {aim}!)"
            shown.append(f"  {times[name]:>6.1f} us  {ratio:>5.2f}x {mark:<10}")
        print(f"{carried:>7} {times['process']:>7.1f} us" + "".join(shown))
    growth = (measured[64] - measured[1]) / 63
    print(f"growth: {growth:.2f} us for each carried contribution, beside the copy (aim: at most 0.5)")


if __name__ == "__main__":
    main()

"""The golden envelopes: what their bytes mean does not change. The files only grow."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stamp.envelope import Contribution, Envelope, Outcome, Signature
from stamp.errors import WireError
from stamp.schema import SchemaId

VECTORS = Path(__file__).parents[1] / "vectors"

PUBLISHED = {
    "envelopes.jsonl": (14, "a68075e637a270e39095e979f7b113f84622cdd23f969ebc7374d1a484325ab3"),
    "envelopes-invalid.jsonl": (15, "6dd01b59ac845dded78d3aad19ca9763b9fd459f3dc4ec880876d8d392d7fbca"),
}
"""How many lines of each file have been published, and the SHA-256 of these lines. Add lines, then raise both."""


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (VECTORS / name).read_text(encoding="utf-8").splitlines()]


def named(name: str) -> list[Any]:
    return [pytest.param(line, id=line["name"]) for line in lines(name)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_vectors_stay_as_they_are(name: str) -> None:
    count, digest = PUBLISHED[name]
    published = (VECTORS / name).read_bytes().splitlines(keepends=True)[:count]
    assert sha256(b"".join(published)).hexdigest() == digest


def meaning(envelope: Envelope) -> dict[str, Any]:
    return {
        "workflow": envelope.workflow,
        "workflow_id": envelope.workflow_id,
        "started_at": envelope.started_at,
        "attributes": dict(envelope.attributes),
        "contributions": [
            {
                "step": each.step,
                "schema": each.schema_id.hex(),
                "payload": each.payload.hex(),
                "event": each.event,
                "event_id": each.event_id.hex(),
                "causes": [cause.hex() for cause in each.causes],
                "received_at": each.received_at,
                "completed_at": each.completed_at,
                "outcome": each.outcome.value,
                "attributes": dict(each.attributes),
                "signatures": [{"key_id": s.key_id, "value": s.value.hex()} for s in each.signatures],
            }
            for each in envelope.contributions
        ],
    }


def built(said: dict[str, Any]) -> Envelope:
    envelope = Envelope.begin(
        said["workflow"], said["workflow_id"], started_at=said["started_at"], attributes=said["attributes"]
    )
    for each in said["contributions"]:
        envelope = envelope.append(
            Contribution(
                step=each["step"],
                schema_id=SchemaId.fromhex(each["schema"]),
                payload=bytes.fromhex(each["payload"]),
                event=each["event"],
                event_id=bytes.fromhex(each["event_id"]),
                causes=tuple(map(bytes.fromhex, each["causes"])),
                received_at=each["received_at"],
                completed_at=each["completed_at"],
                outcome=Outcome(each["outcome"]),
                attributes=each["attributes"],
                signatures=tuple(Signature(s["key_id"], bytes.fromhex(s["value"])) for s in each["signatures"]),
            )
        )
    return envelope


@pytest.mark.parametrize("vector", named("envelopes.jsonl"))
def test_the_bytes_mean_what_the_vector_says(vector: dict[str, Any]) -> None:
    body = bytes.fromhex(vector["hex"])
    read = Envelope.from_bytes(body)
    assert meaning(read) == vector["meaning"]
    assert bytes(read) == body


@pytest.mark.parametrize("vector", [each for each in named("envelopes.jsonl") if "-2 and" not in str(each.id)])
def test_the_meaning_is_written_as_the_canonical_bytes(vector: dict[str, Any]) -> None:
    ours = bytes(built(vector["meaning"]))
    assert (ours.hex() == vector["hex"]) is vector["canonical"]
    assert Envelope.from_bytes(bytes.fromhex(vector["hex"])) == built(vector["meaning"])


@pytest.mark.parametrize("vector", named("envelopes-invalid.jsonl"))
def test_what_is_no_envelope_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        Envelope.from_bytes(bytes.fromhex(vector["hex"]))

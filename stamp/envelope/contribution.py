"""One contribution: what one step added to an envelope, and its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from stamp.envelope.format import CONTRIBUTION
from stamp.errors import EncodeError
from stamp.schema.decoder import decoder
from stamp.schema.identity import SchemaId
from stamp.schema.varint import sized, zigzag

__all__ = ["Contribution", "Outcome", "Signature", "decode", "encode", "event_id"]


class Outcome(StrEnum):
    """How a step's work ended."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    COMPENSATED = "COMPENSATED"

    __hash__ = str.__hash__  # that of enums is written in Python


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature over the contribution's digest."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one step added.

    `payload` is one Avro datum of the schema `schema_id`. Times are microseconds since 1970 UTC: `received_at` is when the step
    took its message, `completed_at` when its work was done. `causes` are the ids of the events that triggered the step.
    """

    step: str
    schema_id: SchemaId
    payload: bytes
    event: str
    event_id: bytes
    causes: tuple[bytes, ...] = ()
    received_at: int
    completed_at: int
    outcome: Outcome = Outcome.COMPLETED
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    signatures: tuple[Signature, ...] = ()


_OUTCOMES: Final = {each.value: bytes((number * 2,)) for number, each in enumerate(Outcome)}
_DECODER: Final = decoder(CONTRIBUTION)


def decode(data: bytes, start: int, end: int) -> tuple[Contribution, int]:
    """Return the contribution that begins at `start` of `data`, whose end is `end`, and where it ends itself.

    Raises:
        WireError: there is no well-formed contribution.
    """
    fields, stop = _DECODER.read(data, start, end)
    return _contribution(**fields), stop


def _contribution(
    *, schema: bytes, causes: list[bytes], outcome: str, signatures: list[dict[str, Any]], **fields: Any
) -> Contribution:
    return Contribution(
        schema_id=SchemaId(schema),
        causes=tuple(causes),
        outcome=Outcome(outcome),
        signatures=tuple(Signature(**each) for each in signatures),
        **fields,
    )


def encode(contribution: Contribution) -> bytes:
    """Return the Avro bytes of a contribution; `decode` gives it back.

    Raises:
        EncodeError: an id is not 16 bytes long, or a number or text cannot be written.
    """
    c = contribution
    for name, value in (("schema_id", c.schema_id), ("event_id", c.event_id), *(("causes", each) for each in c.causes)):
        if len(value) != 16:
            raise EncodeError(f"expected an id of 16 bytes, got {len(value)}", path=f"{c.step}.{name}")
    opening = sized(c.step.encode()) + c.schema_id
    published = sized(c.event.encode()) + c.event_id
    return assemble(
        opening,
        c.payload,
        published,
        c.causes,
        times=(c.received_at, c.completed_at),
        outcome=c.outcome,
        attributes=c.attributes,
        signatures=c.signatures,
    )


def assemble(
    opening: bytes,
    payload: bytes,
    published: bytes,
    causes: Sequence[bytes],
    *,
    times: tuple[int, int],
    outcome: Outcome = Outcome.COMPLETED,
    attributes: Mapping[str, str] | None = None,
    signatures: Sequence[Signature] = (),
) -> bytes:
    """Return the bytes of a contribution from its parts: `opening` is the step and schema id, `published` the event and its id.

    `times` are those of receipt and completion. The order of the parts is the wire format. What a hop calls, that knows its step's opening beforehand.
    """
    signed = [sized(each.key_id.encode()) + sized(each.value) for each in signatures] if signatures else ()
    return b"".join(
        (
            opening,
            sized(payload),
            published,
            b"\2%b\0" % causes[0] if len(causes) == 1 else _items(causes),
            zigzag(times[0]),
            zigzag(times[1]),
            _OUTCOMES[outcome],
            strings(attributes) if attributes else b"\0",
            _items(signed) if signed else b"\0",
        )
    )


def strings(mapping: Mapping[str, str]) -> bytes:
    """Return the Avro bytes of a map of strings."""
    return _items([sized(key.encode()) + sized(value.encode()) for key, value in mapping.items()])


def _items(encoded: Sequence[bytes]) -> bytes:
    return b"".join((zigzag(len(encoded)), *encoded, b"\0")) if encoded else b"\0"


def event_id(workflow: str, workflow_id: str, step: str, causes: Iterable[bytes], *, event: str = "") -> bytes:
    """Return the id of the event that `step` publishes for `causes`: 16 bytes of SHA-256, the same for the same work.

    `event` tells apart the events of a step that publishes several at once.
    """
    named = f"{step}\0{event}" if event else step  # no name has a NUL
    parts = (sized(workflow.encode()), sized(workflow_id.encode()), sized(named.encode()))
    return identify(*parts, *map(sized, sorted(causes)))


def identify(*parts: bytes) -> bytes:
    """Return what `event_id` does, for its parts in their encoded form: a hop knows most of them beforehand."""
    return sha256(b"".join(parts)).digest()[:16]

"""The JSON form of an envelope, for people and their tools.

What JSON has no word for is text: times in ISO 8601, bytes in hex, decimals in digits, a float that is no number by its name.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from stamp.envelope.contribution import Contribution
from stamp.envelope.envelope import Envelope
from stamp.envelope.payloads import payloads
from stamp.envelope.state import Written, fold
from stamp.envelope.timeline import Moment
from stamp.errors import StampError
from stamp.schema.values import instant

__all__ = ["document", "plain"]


def document(envelope: Envelope) -> dict[str, Any]:
    """Return an envelope in JSON values: its history with timeline, and its state with provenance.

    A payload that cannot be read stands in hex, as `payload`, beside the `problem`; the state is then that of the others.
    """
    shown, readable = [], []
    for each, moment, data in zip(envelope.contributions, envelope.timeline(), payloads(envelope), strict=True):
        part = _frame(each, moment, envelope.version(each))
        if isinstance(data, StampError):
            part |= {"problem": str(data), "payload": each.payload.hex()}
        else:
            part["data"] = plain(data)
            readable.append(Written(each, envelope.version(each), data))
        shown.append(part)
    return {
        "workflow": envelope.workflow,
        "workflow_id": envelope.workflow_id,
        "started_at": instant(envelope.started_at).isoformat(),
        "attributes": dict(envelope.attributes),
        "bytes": len(bytes(envelope)),
        "contributions": shown,
        "state": {
            name: {"value": plain(value), **plain(source._asdict())} for name, (value, source) in fold(readable).items()
        },
    }


def _frame(each: Contribution, moment: Moment, version: int | None) -> dict[str, Any]:
    return {
        "step": each.step,
        "event": each.event,
        "outcome": each.outcome.value,
        "event_id": each.event_id.hex(),
        "causes": [cause.hex() for cause in each.causes],
        "schema": str(each.schema_id),
        "version": version,
        "received_at": moment.received_at.isoformat(),
        "completed_at": instant(each.completed_at).isoformat(),
        "queued_seconds": moment.queued.total_seconds(),
        "working_seconds": moment.working.total_seconds(),
        "total_seconds": moment.total.total_seconds(),
        "attributes": dict(each.attributes),
        "signatures": [{"key_id": signature.key_id, "value": signature.value.hex()} for signature in each.signatures],
    }


def plain(value: Any) -> Any:
    """Return a datum in JSON values."""
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case bytes():
            return value.hex()
        case date() | time():  # a datetime is a date
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal() | UUID():
            return str(value)
        case float() if not isfinite(value):
            return str(value)
        case _:
            return value

"""The wire format, version 1: its schema, its magic, its media type.

A body is one Avro single-object encoding (Avro 1.12, "Single-object encoding") of `stamp.Envelope`; `envelope.v1.avsc` beside this
file is all that a reader in another language needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["CONTENT_TYPE", "CONTRIBUTION", "ENVELOPE", "FAILURE", "FILES", "HEADER", "MAGIC"]

FILES: Final = tuple(Path(__file__).with_name(name) for name in ("envelope.v1.avsc", "failure.v1.avsc"))
"""The published schemas, as they are in the package."""

ENVELOPE: Final[dict[str, Any]] = json.loads(FILES[0].read_bytes())
"""The schema of an envelope, as published."""

FAILURE: Final[dict[str, Any]] = json.loads(FILES[1].read_bytes())
"""The schema of what a failed contribution carries."""

MAGIC: Final = bytes.fromhex("c301297fcf986d338a66")
"""`C3 01` and the CRC-64-AVRO fingerprint of ENVELOPE, little endian: how every body begins."""

CONTENT_TYPE: Final = "application/vnd.stamp.envelope.v1+avro"


def _plain(node: Any) -> Any:
    """Return a schema without logical types: inside this package times are microseconds."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key != "logicalType"}
    return [_plain(each) for each in node] if isinstance(node, list) else node


_FIELDS: Final[list[Any]] = _plain(ENVELOPE)["fields"]

HEADER: Final[dict[str, Any]] = {"type": "record", "name": "stamp.Header", "fields": _FIELDS[:-1]}
"""The fields before the contributions, as a record."""

CONTRIBUTION: Final[dict[str, Any]] = {**_FIELDS[-1]["type"]["items"], "namespace": "stamp"}
"""One item of the contributions."""

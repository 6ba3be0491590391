"""Apache avro for Python and avsc for Node read our envelopes with the published schema alone, and we read theirs."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import pytest

from stamp.envelope import Envelope
from stamp.envelope.format import MAGIC

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "schemas" / "stamp" / "envelope.v1.avsc"
VECTORS = [
    json.loads(line) for line in (HERE.parent / "vectors" / "envelopes.jsonl").read_text(encoding="utf-8").splitlines()
]
EXACT = 2**53
"""Beyond it JavaScript has no integers: the vector with the earliest and latest time is not for Node."""


@pytest.fixture(scope="module")
def apache() -> Any:
    return avro.schema.parse(SCHEMA.read_text(encoding="utf-8"))


def plain(envelope: Any) -> Any:
    if isinstance(envelope, dict):
        return {key: plain(value) for key, value in envelope.items()}
    if isinstance(envelope, list):
        return [plain(value) for value in envelope]
    if isinstance(envelope, datetime):
        return (envelope - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return envelope.hex() if isinstance(envelope, bytes) else envelope


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_apache_avro_reads_our_envelopes(vector: dict[str, Any], apache: Any) -> None:
    stream = io.BytesIO(bytes.fromhex(vector["hex"])[len(MAGIC) :])
    read = avro.io.DatumReader(apache).read(avro.io.BinaryDecoder(stream))
    assert plain(read) == vector["meaning"]
    assert stream.read() == b""


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_we_read_the_envelopes_of_apache_avro(vector: dict[str, Any], apache: Any) -> None:
    ours = Envelope.from_bytes(bytes.fromhex(vector["hex"]))
    stream = io.BytesIO(bytes.fromhex(vector["hex"])[len(MAGIC) :])
    datum = avro.io.DatumReader(apache).read(avro.io.BinaryDecoder(stream))
    written = io.BytesIO()
    avro.io.DatumWriter(apache).write(datum, avro.io.BinaryEncoder(written))
    theirs = Envelope.from_bytes(MAGIC + written.getvalue())
    assert theirs.contributions == ours.contributions
    assert theirs.header == ours.header


@pytest.fixture(scope="module")
def avsc(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What avsc makes of each vector: one run of Node for all of them."""
    npm, node = require("npm"), require("node")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "envelopes.js"):
        shutil.copy(HERE / name, folder)
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=300)
    lines = "".join(vector["hex"] + "\n" for vector in for_node())
    done = subprocess.run(
        [node, "envelopes.js", str(SCHEMA)],
        cwd=folder,
        input=lines.encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def for_node() -> list[dict[str, Any]]:
    times = [[c["received_at"] for c in each["meaning"]["contributions"]] for each in VECTORS]
    return [each for each, micros in zip(VECTORS, times, strict=True) if all(abs(time) < EXACT for time in micros)]


def test_avsc_reads_our_envelopes(avsc: list[dict[str, Any]]) -> None:
    assert len(avsc) == len(for_node()) >= 13
    for vector, theirs in zip(for_node(), avsc, strict=True):
        assert theirs["meaning"] == vector["meaning"], vector["name"]


def test_we_read_the_envelopes_of_avsc(avsc: list[dict[str, Any]]) -> None:
    for vector, theirs in zip(for_node(), avsc, strict=True):
        ours = Envelope.from_bytes(bytes.fromhex(vector["hex"]))
        read = Envelope.from_bytes(bytes.fromhex(theirs["again"]))
        assert read.contributions == ours.contributions, vector["name"]
        assert read.header == ours.header

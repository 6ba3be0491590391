"""What docs/wire.md says is what the package does: its program, which knows nothing of the package, makes the same bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stamp import Envelope
from stamp.envelope import contribution
from stamp.envelope.contribution import Contribution
from stamp.envelope.format import CONTENT_TYPE, MAGIC
from stamp.envelope.limits import LIMITS
from stamp.envelope.wire import Header
from stamp.runtime.outside import CONTENT_ENCODING
from stamp.schema.catalog import Catalog
from stamp.schema.identity import SchemaId, canonical
from stamp.workflow.outgoing import headers

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/wire.md").read_text("utf-8")
[PROGRAM] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
[PRINTED] = re.findall(r"^```text\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
RELEASED = sorted((ROOT / "schemas").rglob("*.avsc"))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return what the program defines."""
    names: dict[str, Any] = {}
    exec(compile(PROGRAM, "docs/wire.md", "exec"), names)
    return names


def test_it_prints_what_stands_below_it(document, capsys):
    exec(compile(PROGRAM, "docs/wire.md", "exec"), {})

    assert capsys.readouterr().out == PRINTED


def test_the_package_reads_what_it_prints(document):
    schema, first, body = PRINTED.split()
    catalog = Catalog().with_schema(document["ticket"])

    envelope = Envelope.from_bytes(bytes.fromhex(body), catalog=catalog)

    assert (envelope.workflow, envelope.workflow_id, envelope.state()) == ("ticket", "4729", {"customer": "Ada"})
    assert envelope.contributions[0].schema_id == SchemaId.fromhex(schema) == SchemaId.of(document["ticket"])
    assert envelope.contributions[0].event_id.hex() == first


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_knows_the_id_of_every_schema_of_the_example(document, path):
    schema = json.loads(path.read_bytes())

    assert document["schema_id"](schema) == SchemaId.of(schema)


def test_it_knows_the_canonical_form_of_nested_and_inherited_names(document):
    inner = {"type": "fixed", "name": "F", "size": 2, "aliases": ["G", "c.H"]}
    fields = [
        {"name": "a", "type": [{"type": "long"}, inner], "doc": "words", "stamp": {"minimum": 1}},
        {"name": "b", "type": {"type": "map", "values": {"type": "array", "items": "F"}}, "default": {}},
        {"name": "c", "type": {"type": "enum", "name": "d.E", "namespace": "ignored", "symbols": ["X"]}},
    ]
    schema = {"type": "record", "name": "R", "namespace": "a.b", "fields": fields, "stamp": {}, "more": 1}

    assert json.loads(canonical(schema)) == document["canonical"](schema)
    assert SchemaId.of(schema) == document["schema_id"](schema)


def test_it_knows_the_ids_of_later_events_and_how_to_append_them(document):
    causes = [bytes([number]) * 16 for number in (3, 1, 2)]
    id_ = contribution.event_id("ticket", "é", "billing", causes)
    item = document["contribution"]("billing", bytes(16), b"data", "Billed", id_, causes, 5, 300)

    assert document["event_id"]("ticket", "é", "billing", causes) == id_
    assert contribution.event_id("w", "1", "s", causes, event="E") == document["event_id"]("w", "1", "s\0E", causes)
    decoded, end = contribution.decode(item, 0, len(item))
    assert end == len(item)
    expected = Contribution(
        step="billing",
        schema_id=SchemaId(bytes(16)),
        payload=b"data",
        event="Billed",
        event_id=id_,
        causes=tuple(causes),
        received_at=5,
        completed_at=300,
    )
    assert decoded == expected
    body = document["begin"]("ticket", "é", -1)
    for count in range(1, 4):
        body = document["append"](body, item)
        assert len(Envelope.from_bytes(body).contributions) == count


def test_numbers_and_names_are_those_of_the_package(document):
    assert MAGIC.hex(" ") in TEXT
    assert f"`{CONTENT_TYPE}`" in TEXT
    assert f"`{CONTENT_ENCODING}`" in TEXT
    kib = f"more than {LIMITS.message // 1024} KiB in a body, {LIMITS.contributions} contributions, or {LIMITS.contribution // 1024} KiB"
    assert kib in TEXT
    run = Header("ticket", "4729", 0, {"traceparent": "00-1-2-01", "tracestate": "a=b"})
    named = headers(run, "billing", "Billed", event_id=bytes(16), causes=[bytes(16)], completed_at=0)
    assert [each for each in named if f"`{each}`" not in TEXT] == []

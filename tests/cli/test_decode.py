"""What an envelope holds is shown, as far as it can be read."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import sysconfig
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field
from rich.cells import cell_len

from stamp import Envelope, Fail, Workflow
from stamp.envelope import wire
from stamp.envelope.document import document
from stamp.envelope.format import ENVELOPE, MAGIC
from stamp.envelope.limits import LIMITS
from stamp.schema.catalog import Catalog
from stamp.schema.container import ContainerWriter
from stamp.store import directory as store_directory
from stamp.store import finals as store_finals
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.testing import VirtualClock
from stamp.workflow import export
from stamp.workflow.announcement import folder_documents


class Order(BaseModel):
    customer: str
    amount: Annotated[Decimal, Field(max_digits=8, decimal_places=2)]
    at: datetime
    tags: list[str]


class Amount(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=8, decimal_places=2)]


class Paid(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=8, decimal_places=2)]
    receipt: str | None


class Sent(BaseModel):
    parcel: str


AT = datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC)


def played(folder, customer="Ada", stop=2):
    """Return the bodies of a run that fails at its end, and leave its contracts in `folder`."""
    shop = Workflow("shop", contracts=folder, clock=VirtualClock(AT, tick=timedelta(milliseconds=3)))
    shop.starts("order", Order, emits="Ordered")

    @shop.step(on="Ordered", emits="Paid")
    def payment(order: Amount) -> Paid:
        return Paid(amount=order.amount * 2, receipt=None)

    @shop.step(on="Paid", emits="Sent")
    def parcel(payment: Amount) -> Sent:
        raise Fail("no stamp", wanted="1")

    export(shop)
    order = Order(customer=customer, amount=Decimal("12.50"), at=AT, tags=["a", "b"])
    bodies = [shop.start(order, workflow_id="4729", attributes={"tenant": "acme"}).body]
    for step in ("payment", "parcel")[:stop]:
        [outgoing] = shop.process(step, bodies[-1])
        bodies.append(outgoing.body)
    return bodies


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop") / "schemas"
    played(folder)
    return folder


@pytest.fixture(scope="module")
def body(schemas):
    return played(schemas)[-1]


def container(*bodies):
    stream = io.BytesIO()
    with ContainerWriter(stream, ENVELOPE, sync=bytes(16)) as writer:
        for each in bodies:
            writer.append(each[len(MAGIC) :])
    return stream.getvalue()


def text_of(done):
    return "\n".join(line.rstrip() for line in done.stdout.split("\n"))


GOLDEN = """\
shop 4729
  3 contributions, 383 bytes, started 2026-03-02 01:02:03 UTC
  tenant: acme

History
 #  step     event          outcome    v  bytes  fields
 0  order    Ordered        completed  1     88  customer=Ada amount=12.50
 1  payment  Paid           completed  1     87  amount=25.00
 2  parcel   parcel.failed  failed          156  type=Fail message=no stamp

Timeline
 step     queued  working  total
 order         0        0      0
 payment    3 ms     3 ms   6 ms  ░░░░░░░░░░██████████
 parcel     3 ms     3 ms  12 ms                      ░░░░░░░░░░██████████

State
 field     written by  after  value
 customer  order v1        0  Ada
 amount    payment v1   6 ms  25.00
 at        order v1        0  2026-03-02 01:02:03 UTC
 tags      order v1        0  [a, b]
 receipt   payment v1   6 ms  null
 parcel.failure  parcel  12 ms  {type: Fail, message: no stamp, detail:
                                {wanted: 1}}

"""


def squeezed(text):
    """Columns may move with versions of rich; what they say may not."""
    return [re.sub(r" {2,}", "  ", re.sub("░+", "░", re.sub("█+", "█", line))).strip() for line in text.split("\n")]


def test_text_tells_history_timeline_and_state(stamp, schemas, body, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = stamp("decode", "-", "--schemas", schemas, input=body)
    assert squeezed(text_of(done)) == squeezed(GOLDEN)
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "encode",
    [
        bytes,
        lambda body: body.hex().encode(),
        b64encode,
        urlsafe_b64encode,
        lambda body: b"0x" + body.hex(" ").encode() + b"\n",
        container,
        lambda body: container(body).hex().encode(),
    ],
    ids=["raw", "hex", "base64", "urlsafe", "0x", "container", "container in hex"],
)
@pytest.mark.parametrize("is_file", [True, False], ids=["file", "stdin"])
def test_every_form_gives_the_same(stamp, here, schemas, body, encode, is_file):
    (here / "events").write_bytes(encode(body))
    source, given = ("events", b"") if is_file else ("-", encode(body))
    done = stamp("decode", source, "--schemas", schemas, "--format", "json", input=given)
    assert (done.exit_code, done.stderr) == (0, "")
    envelope = Envelope.from_bytes(body, catalog=Catalog.from_folder(schemas))
    assert [json.loads(line) for line in done.stdout.splitlines()] == [document(envelope)]


def test_json_has_one_document_a_line_with_everything(stamp, kept, tickets_in_order):
    done = stamp("decode", kept / "events.avro", "--schemas", kept / "schemas", "--format", "json")
    assert done.exit_code == 0
    documents = [json.loads(line) for line in done.stdout.removesuffix("\n").split("\n")]
    assert [each["workflow_id"] for each in documents] == [each["workflow_id"] for each in tickets_in_order]
    for ticket, each in zip(tickets_in_order, documents, strict=True):
        assert each["state"]["description"]["value"] == ticket["description"]
        assert each["state"]["description"]["step"] == "ticket"
        assert each["contributions"][0]["data"]["customer"] == ticket["customer"]


@pytest.fixture
def tickets_in_order(root):
    lines = (root / "examples/ticket/tickets.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("at", "events"),
    [
        ("Ordered", ["Ordered"]),
        ("Paid", ["Ordered", "Paid"]),
        ("parcel.failed", ["Ordered", "Paid", "parcel.failed"]),
        ("0", ["Ordered"]),
        ("-1", ["Ordered", "Paid", "parcel.failed"]),
    ],
)
def test_at_shows_an_earlier_state(stamp, schemas, body, at, events):
    done = stamp("decode", "-", "--schemas", schemas, "--format", "json", "--at", at, input=body)
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    assert [each["event"] for each in shown["contributions"]] == events
    assert shown["state"]["amount"]["value"] == ("12.50" if events == ["Ordered"] else "25.00")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("Nothing", "expected one of its events (Ordered, Paid, parcel.failed), got 'Nothing'"),
        ("3", "expected an index below 3, got 3"),
        ("99999999999999999999", "got '99999999999999999999'"),
        ("", "got ''"),
    ],
)
def test_at_something_that_is_not_there_shows_nothing(stamp, schemas, body, at, said):
    done = stamp("decode", "-", "--schemas", schemas, "--at", at, input=body)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_at_an_event_that_some_envelopes_lack_shows_the_others(stamp, schemas):
    first, second, third = played(schemas)
    done = stamp(
        "decode", "-", "--schemas", schemas, "--format", "json", "--at", "Paid", input=container(first, second, third)
    )
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "standard input: envelope[0].shop: expected one of its events (Ordered), got 'Paid'\n"


class TestWithoutContracts:
    @pytest.mark.parametrize("form", ["text", "json"])
    def test_the_frame_is_shown_and_the_problem_said_once(self, stamp, here, body, form):
        done = stamp("decode", "-", "--format", form, input=container(body, body))
        assert done.exit_code == 1
        assert "Ordered" in done.stdout
        problems = done.stderr.splitlines()
        assert [problem.split(":")[0] for problem in problems] == [
            "order",
            "payment",
            "there is no contracts folder schemas",
        ]
        assert all(problem.endswith("(2 times)") for problem in problems[:2])
        assert problems[2] == "there is no contracts folder schemas: name one with --schemas"

    def test_payloads_are_shown_in_hex(self, stamp, here, body):
        [order, *_] = Envelope.from_bytes(body).contributions
        done = stamp("decode", "-", "--format", "json", input=body)
        assert json.loads(done.stdout)["contributions"][0]["payload"] == order.payload.hex()
        assert order.payload.hex()[:10] in stamp("decode", "-", input=body).stdout

    def test_the_settings_say_where_contracts_are(self, stamp, here, schemas, body):
        (here / "pyproject.toml").write_text(f"[tool.stamp]\nschemas = '{schemas}'\n")
        assert stamp("decode", "-", input=body).exit_code == 0

    def test_a_broken_contracts_folder_is_an_error(self, stamp, here, body):
        (here / "schemas/shop/order").mkdir(parents=True)
        (here / "schemas/shop/order/Order.v1.avsc").write_text("{")
        done = stamp("decode", "-", input=body)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "Order.v1.avsc" in done.stderr


def test_a_payload_that_its_schema_does_not_fit_is_said_with_its_envelope(stamp, schemas, body):
    damaged = body.replace(b"\x06Ada", b"\x06\xff\xff\xff")
    done = stamp("decode", "-", "--schemas", schemas, input=container(body, damaged))
    assert done.exit_code == 1
    assert done.stdout.count("shop 4729") == 2
    assert done.stderr.startswith("standard input: envelope[1].order.customer: expected UTF-8 text")


class TestDamage:
    @pytest.mark.parametrize("cut", [1, 5, 12, 40, -1])
    def test_a_cut_envelope_is_an_error_with_its_offset(self, stamp, here, body, cut):
        (here / "event.bin").write_bytes(body[:cut])
        done = stamp("decode", "event.bin")
        assert (done.exit_code, done.stdout) == (2, "")
        assert "event.bin: " in done.stderr
        assert "(at byte " in done.stderr or cut == 1

    def test_envelopes_before_the_damage_are_shown(self, stamp, schemas, body):
        stream = io.BytesIO()
        with ContainerWriter(stream, ENVELOPE, sync=bytes(16)) as writer:
            for _ in range(3):
                writer.append(body[len(MAGIC) :])
                writer.flush()
        done = stamp("decode", "-", "--schemas", schemas, "--format", "json", input=stream.getvalue()[:-20])
        assert done.exit_code == 2
        assert len(done.stdout.splitlines()) == 2
        assert re.fullmatch(r"Error: standard input: .* \(at byte \d+\)\n", done.stderr)

    def test_an_envelope_that_is_none_is_left_out(self, stamp, schemas, body):
        bad = wire.begin(wire.Header("shop", "5", 2**62, {}))
        done = stamp("decode", "-", "--schemas", schemas, "--format", "json", input=container(body, bad, body))
        assert done.exit_code == 1
        assert len(done.stdout.splitlines()) == 2
        assert "envelope[1]: expected a time in the years 1 to 9999" in done.stderr

    def test_what_was_refused_for_its_size_can_be_looked_at(self, stamp, schemas, body):
        huge = wire.begin(wire.Header("shop", "5", 0, {"x": "y" * 300_000}))
        assert len(huge) > LIMITS.message
        for data in (huge, container(huge)):
            assert stamp("decode", "-", "--schemas", schemas, input=data).exit_code == 0

    @pytest.mark.parametrize("data", [b"", b"\0", b"hello", b"{}", b"Obj\x01", b"c301", b"\xc3\x01", b"\xff" * 5_000])
    def test_what_is_no_envelope_is_one_clear_message(self, stamp, here, data):
        done = stamp("decode", "-", input=data)
        assert (done.exit_code, done.stdout) == (2, "")
        assert 1 <= len(done.stderr.splitlines()) <= 2
        assert "expected" in done.stderr

    def test_random_bytes_are_met_with_messages_alone(self, stamp, here, schemas, body):
        for begin in (b"", b"Obj\x01", MAGIC[:2], MAGIC, body[:100], container(body)[:1800]):
            for _ in range(15):
                data = begin + os.urandom(80)
                done = stamp("decode", "-", "--schemas", schemas, input=data)
                assert done.exit_code in {0, 1, 2}, data.hex()
                assert done.exception is None or isinstance(done.exception, SystemExit), data.hex()


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\u2028\n\r\t\x00陈美玲 👩‍🔧 e\u0301"


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_control_character_of_the_data_gets_out(stamp, tmp_path, form):
    body = played(tmp_path, HOSTILE, stop=0)[0]
    envelope = Envelope.begin("shop", HOSTILE, started_at=0, attributes={HOSTILE: HOSTILE})
    for each in (body, bytes(envelope)):
        done = stamp("decode", "-", "--schemas", tmp_path, "--format", form, input=each)
        assert done.exit_code == 0
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", done.stdout)
        assert "evil" in done.stdout
        if form == "json":
            assert HOSTILE in {
                json.loads(done.stdout)["workflow_id"],
                Envelope.from_bytes(each, catalog=Catalog.from_folder(tmp_path)).state().get("customer"),
            }


@pytest.mark.parametrize("columns", [10, 30, 50, 72, 200])
def test_no_line_is_wider_than_the_terminal(stamp, few, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    done = stamp("decode", few / "events.avro", "--schemas", few / "schemas")
    assert done.exit_code == 0
    assert max(map(cell_len, done.stdout.split("\n"))) <= columns


def test_a_container_may_be_empty(stamp, here):
    done = stamp("decode", "-", input=container())
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "standard input: no envelopes\n")


@pytest.fixture
def finals(database, schemas, monkeypatch):
    """A store that the settings name, with the final events of runs 4729 and 4730 of the shop."""
    monkeypatch.setenv("STAMP_STORE", database)
    with Store.open(database) as store, store.begin() as tx:
        for number, run in enumerate(("4729", "4730")):
            body = bytes(Envelope.begin("shop", run, started_at=number)) if run == "4730" else played(schemas)[-1]
            message = Message("shop", run, "parcel.failed", bytes(15) + bytes([number]), body, {})
            store_finals.put(tx, [message], now=number)
    return store.url


class TestStore:
    @pytest.mark.parametrize("form", ["text", "json"])
    def test_final_events_are_shown_as_those_of_a_file(self, stamp, schemas, finals, database, body, form):
        arguments = ("--schemas", schemas, "--format", form)
        of_store = stamp("decode", "--store", database, "--workflow-id", "4729", *arguments)
        assert (of_store.exit_code, of_store.stderr) == (0, "")
        assert of_store.stdout == stamp("decode", "-", *arguments, input=body).stdout

    def test_all_are_shown_in_their_order(self, stamp, schemas, finals, database):
        done = stamp("decode", "--store", database, "--schemas", schemas, "--format", "json")
        assert [json.loads(line)["workflow_id"] for line in done.stdout.splitlines()] == ["4729", "4730"]

    def test_a_run_is_found_where_the_workers_leave_it(self, stamp, schemas, finals):
        done = stamp("decode", "--workflow-id", "4729", "--schemas", schemas, "--at", "Paid", "--format", "json")
        assert [each["event"] for each in json.loads(done.stdout)["contributions"]] == ["Ordered", "Paid"]

    def test_schemas_are_read_as_they_are_announced_there(self, stamp, here, schemas, finals, database):
        with Store.open(database) as store, store.begin() as tx:
            for step in ("order", "payment", "parcel"):
                documents = {
                    key.replace(".v1.", ".v7."): text
                    for key, text in folder_documents(Path(schemas) / "shop" / step).items()
                }
                store_directory.write(tx, "shop", documents | {"schema/spoiled": "["}, now=1)
        arguments = ("decode", "--store", database, "--workflow-id", "4729", "--format", "json")
        done = stamp(*arguments)
        assert (done.exit_code, done.stderr) == (0, "")
        assert '"version": 7' in done.stdout
        assert stamp(*arguments, "--schemas", schemas).stdout == done.stdout.replace('"version": 7', '"version": 1')

    def test_who_reads_no_further_gets_no_traceback(self, schemas, finals, database):
        last = played(schemas)[-1]
        ends = [Message("shop", "4729", "parcel.failed", bytes(14) + n.to_bytes(2), last, {}) for n in range(2, 250)]
        with Store.open(database) as store, store.begin() as tx:
            store_finals.put(tx, ends, now=2)
        command = [Path(sysconfig.get_path("scripts")) / "stamp", "decode", "--store", database, "--schemas", schemas]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
            reading.stdout.readline()
            reading.stdout.close()
            assert reading.stderr.read() == b""
        assert reading.returncode == 141

    def test_a_run_that_is_not_there_is_told(self, stamp, schemas, finals, body):
        done = stamp("decode", "--workflow-id", "1", "--schemas", schemas)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == f"{finals}: no envelope of the run '1': it has not ended yet, or was never started\n"

    def test_what_cannot_be_read_says_of_which_run_it_is(self, stamp, here, schemas, finals):
        done = stamp("decode", "--workflow-id", "4730", "--schemas", schemas, "--at", "Paid")
        assert done.exit_code == 2
        assert done.stderr.startswith(f"{finals}: run 4730")

    def test_no_final_events_is_said(self, stamp, here):
        Store.open("sqlite:///stamp.db").close()
        done = stamp("decode", "--store", "sqlite:///stamp.db")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "sqlite:///stamp.db: no run has ended yet\n")

    def test_a_store_that_is_not_there_is_not_made(self, stamp, here):
        done = stamp("decode", "--store", "sqlite:///stamp.db")
        assert (done.exit_code, list(here.iterdir())) == (2, [])
        assert "there is no file stamp.db" in done.stderr

    @pytest.mark.parametrize(("arguments", "got"), [([], "neither"), (["-", "--store", "sqlite:///x.db"], "both")])
    def test_a_file_or_a_store_must_be_said(self, stamp, here, arguments, got):
        done = stamp("decode", *arguments)
        assert done.exit_code == 2
        assert f"Missing argument 'FILE', or --store: expected one of them, got {got}" in done.stderr

    def test_of_a_file_too_one_run_can_be_shown(self, stamp, schemas, body):
        other = bytes(Envelope.begin("shop", "5", started_at=0))
        shown = stamp(
            "decode", "-", "--schemas", schemas, "--workflow-id", "5", "--format", "json", input=container(body, other)
        )
        assert json.loads(shown.stdout)["workflow_id"] == "5"

    def test_a_file_needs_no_database(self, body, schemas):
        program = (
            "import sys\n"
            "from stamp.cli.main import cli\n"
            "try: cli(sys.argv[1:])\n"
            "finally: assert 'sqlalchemy' not in sys.modules\n"
        )
        command = [sys.executable, "-c", program, "decode", "-", "--schemas", str(schemas)]
        assert subprocess.run(command, input=body, stdout=subprocess.DEVNULL, check=False).returncode == 0

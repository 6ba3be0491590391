"""Dead letters are seen as they are, worked on again under their ids, or given up; nothing is lost by looking."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sysconfig
from base64 import b64decode
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import amqp
import pytest
from pydantic import BaseModel
from rich.cells import cell_len

from stamp import Workflow
from stamp.cli.render.dead_letter import ADVICE
from stamp.runtime.reason import REASONS, letter, read, written
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Arrival, Parcel
from stamp.runtime.transports.rabbitmq import RabbitMQ
from stamp.runtime.transports.rabbitmq.graveyard import TOLD
from stamp.store import dead_letters, directory, inbox
from stamp.store.letter import Letter
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.workflow import export
from stamp.workflow.announcement import folder_documents

STAMP = Path(sysconfig.get_path("scripts")) / "stamp"
NOW = 1_790_000_000_000_000

Id = str


class Order(BaseModel):
    customer: str


class Paid(BaseModel):
    receipt: str


def shop(schemas: Path, name: str = "shop") -> Workflow:
    workflow = Workflow(name, contracts=schemas, clock=lambda: NOW)
    workflow.starts("order", Order, emits="Ordered")

    @workflow.step(on="Ordered", emits="Paid")
    def payment(order: Order) -> Paid:
        return Paid(receipt="1")

    @workflow.step(on="Paid", emits="Sent")
    def parcel(payment: Paid) -> Order:
        return Order(customer="")

    return workflow


def ordered(workflow: Workflow, workflow_id: str, customer: str = "Ada") -> Message:
    event, body, headers = workflow.start(Order(customer=customer), workflow_id=workflow_id)
    return Message(workflow.name, workflow_id, event, bytes.fromhex(headers["ce-id"]), body, headers)


NO_ACCOUNT = Letter(
    "attempts-exhausted", "KeyError", "'no account'", "Traceback\n  File shop.py\nKeyError: 'no account'\n"
)
NONE_OF_OURS = Letter("no-envelope", "WireError", "expected an envelope, got text")
HELLO = Message("shop", "", "", sha256(b"hello").digest()[:16], b"hello world", {"from": "elsewhere"})


@pytest.fixture
def workflow(here: Path) -> Workflow:
    workflow = shop(here / "schemas")
    export(workflow)
    return workflow


@pytest.fixture
def store(database: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An open store that the command finds by the environment."""
    monkeypatch.setenv("STAMP_STORE", database)
    with Store.open(database) as store:
        yield store


@pytest.fixture
def ids(store: Store, workflow: Workflow) -> dict[str, Id]:
    """Dead letters: runs 1 and 2 of payment, run 1 of parcel, and text that somebody sent to payment; their ids by run."""
    one, two = ordered(workflow, "1"), ordered(workflow, "2", "Bob")
    park(store, "shop.payment", one, NO_ACCOUNT, NOW + 1_000_000)
    park(store, "shop.payment", two, NO_ACCOUNT, NOW + 2_000_000)
    park(store, "shop.parcel", one, NO_ACCOUNT, NOW + 3_000_000)
    with store.begin() as tx:
        dead_letters.bury(tx, "shop.payment", HELLO, NONE_OF_OURS, now=NOW + 4_000_000)
    return {"1": one.event_id.hex(), "2": two.event_id.hex(), "": HELLO.event_id.hex()}


def park(store: Store, queue: str, message: Message, why: Letter, now: int, attempts: int = 3) -> None:
    """Let `message` die after some attempts."""
    with store.begin() as tx:
        inbox.put(tx, [(queue, message)], now=NOW)
        for _ in range(attempts - 1):
            [work] = inbox.take(tx, [queue], limit=1, now=now, lease=1)
            inbox.postpone(tx, work, until=0, error="again")
        [work] = inbox.take(tx, [queue], limit=1, now=now, lease=1)
        assert inbox.park(tx, work, why, now=now)


def listed(stamp, *arguments: object) -> list[tuple[str, str]]:
    """Return queue and run of the letters that `stamp dlq list` tells."""
    done = stamp("dlq", "list", "--format", "json", *arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    return [(each["queue"], each["workflow_id"]) for each in map(json.loads, done.stdout.splitlines())]


def joined(text: str) -> str:
    """Return text whose lines may end anywhere as one line."""
    return " ".join(text.split())


ALL = [("shop.payment", "1"), ("shop.payment", "2"), ("shop.parcel", "1"), ("shop.payment", "")]


class TestList:
    def test_those_that_died_first_are_told_first(self, stamp, ids):
        assert listed(stamp) == ALL

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["--step", "payment"], [ALL[0], ALL[1], ALL[3]]),
            (["--queue", "shop.parcel"], [ALL[2]]),
            (["--queue", "shop.parcel", "--step", "payment"], ALL),
            (["--queue", "other.parcel"], []),
            (["--reason", "no-envelope"], [ALL[3]]),
            (["--workflow-id", "1"], [ALL[0], ALL[2]]),
            (["--workflow-id", "1", "--step", "parcel"], [ALL[2]]),
            (["--workflow-id", "3"], []),
            (["--limit", "2"], ALL[:2]),
        ],
    )
    def test_only_what_is_wanted_is_told(self, stamp, ids, arguments, expected):
        assert listed(stamp, *arguments) == expected

    def test_json_has_all_but_what_is_large(self, stamp, ids, workflow):
        first = json.loads(stamp("dlq", "list", "--format", "json").stdout.splitlines()[0])
        assert first == {
            "id": ids["1"],
            "queue": "shop.payment",
            "workflow": "shop",
            "workflow_id": "1",
            "event": "Ordered",
            "reason": "attempts-exhausted",
            "error_type": "KeyError",
            "error_message": "'no account'",
            "attempts": 3,
            "first_at": "2026-09-21T14:13:20+00:00",
            "last_at": "2026-09-21T14:13:21+00:00",
            "bytes": len(ordered(workflow, "1").body),
        }

    def test_text_has_a_line_for_each_and_a_sum(self, stamp, ids, monkeypatch):
        monkeypatch.setenv("COLUMNS", "150")
        done = stamp("dlq", "list")
        table, last = done.stdout.split("\n\n")
        head, first, *others = table.splitlines()
        assert head.split() == ["id", "queue", "run", "event", "reason", "attempts", "died", "error"]
        assert re.split(r"\s{2,}", first.strip()) == [
            ids["1"][:8],
            "shop.payment",
            "1",
            "Ordered",
            "attempts-exhausted",
            "3",
            "2026-09-21 14:13:21",
            "KeyError: 'no account'",
        ]
        assert len(others) == 3
        assert re.fullmatch(r"4 dead letters in \S+: 3 attempts-exhausted, 1 no-envelope", joined(last))

    @pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 120, 200])
    def test_no_line_is_wider_than_the_terminal(self, stamp, ids, monkeypatch, columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = stamp("dlq", "list")
        assert max(map(cell_len, done.stdout.split("\n"))) <= columns
        assert ids["2"][:4] in done.stdout

    def test_what_is_not_shown_is_counted(self, stamp, ids):
        done = stamp("dlq", "list", "--limit", 1)
        assert done.stdout.count("shop.payment") == 1
        assert "4 dead letters" in done.stdout
        assert "3 of them are not shown, see --limit" in joined(done.stdout)

    def test_none_is_said_to_be_none(self, stamp, store, monkeypatch):
        monkeypatch.setenv("COLUMNS", "500")  # the address of the store may be long
        done = stamp("dlq", "list")
        assert (done.exit_code, joined(done.stdout)) == (0, f"no dead letters in {store.url}")
        assert stamp("dlq", "list", "--format", "json").stdout == ""

    def test_none_of_a_kind_is_said_to_be_none_of_that_kind(self, stamp, ids, store, monkeypatch):
        monkeypatch.setenv("COLUMNS", "500")
        done = stamp("dlq", "list", "--reason", "too-large")
        assert (done.exit_code, joined(done.stdout)) == (0, f"no dead letters of that kind in {store.url}")

    def test_as_many_digits_are_shown_as_tell_ids_apart(self, stamp, store):
        with store.begin() as tx:
            for last in (b"\0", b"\1"):
                message = HELLO._replace(event_id=bytes(5) + last + bytes(10))
                dead_letters.bury(tx, "shop.payment", message, NONE_OF_OURS, now=NOW)
        done = stamp("dlq", "list")
        assert re.findall(r"^ (0\w*)", done.stdout, re.MULTILINE) == ["0" * 12, "0" * 11 + "1"]


class TestShow:
    def test_everything_is_told(self, stamp, ids, here):
        done = stamp("dlq", "show", ids["2"][:8], "--queue", "shop.payment")
        assert (done.exit_code, done.stderr) == (0, "")
        text = "\n".join(line.rstrip() for line in done.stdout.splitlines())
        assert text.startswith(
            f"{ids['2']}\n"
            " queue     shop.payment\n"
            " run       shop 2\n"
            " event     Ordered\n"
            " reason    attempts-exhausted\n"
            " error     KeyError: 'no account'\n"
            " advice    mend what its handler has met with, then replay\n"
            " attempts  3\n"
            " arrived   2026-09-21 14:13:20 UTC\n"
            " died      2026-09-21 14:13:22 UTC\n"
            "\n"
            "Traceback\n"
            "  Traceback\n"
            "    File shop.py\n"
            "  KeyError: 'no account'\n"
            "\n"
            "Headers\n"
        )
        assert f" ce-id             {ids['2']}\n" in text
        assert " customer  order v1        0  Bob" in text  # as `stamp decode` has it

    def test_without_contracts_the_frame_is_told(self, stamp, ids, here, tmp_path_factory):
        (here / "schemas").rename(here / "elsewhere")
        text = stamp("dlq", "show", ids["2"]).stdout
        assert "History" in text
        assert "cannot be read: order:" in text
        assert " customer " in stamp("dlq", "show", ids["2"], "--schemas", here / "elsewhere").stdout

    def test_what_is_announced_in_the_store_is_read(self, stamp, ids, here, store):
        with store.begin() as tx:
            directory.write(tx, "shop", folder_documents(here / "schemas/shop/order"), now=NOW)
        (here / "schemas").rename(here / "elsewhere")
        assert " customer  order v1        0  Bob" in stamp("dlq", "show", ids["2"]).stdout

    def test_what_is_no_envelope_is_told_in_bytes(self, stamp, ids):
        done = stamp("dlq", "show", ids[""])
        assert done.exit_code == 0
        assert "11 bytes, no envelope: " in done.stdout
        assert "68 65 6c 6c 6f 20 77 6f 72 6c 64" in done.stdout
        assert "hello world" in done.stdout

    def test_json_has_everything(self, stamp, ids, workflow):
        shown = json.loads(stamp("dlq", "show", ids["2"], "--format", "json").stdout)
        message = ordered(workflow, "2", "Bob")
        assert b64decode(shown["body"]) == message.body
        assert shown["headers"] == dict(message.headers)
        assert shown["traceback"] == NO_ACCOUNT.traceback
        assert shown["envelope"]["state"]["customer"]["value"] == "Bob"
        assert (shown["writer"], shown["reader"], shown["problem"]) == (None, None, None)

    def test_json_of_what_is_no_envelope_says_so(self, stamp, ids):
        shown = json.loads(stamp("dlq", "show", ids[""], "--format", "json").stdout)
        assert shown["envelope"] is None
        assert "expected" in shown["problem"]
        assert b64decode(shown["body"]) == HELLO.body

    def test_the_pair_of_schemas_that_did_not_fit_is_told(self, stamp, store):
        why = Letter(
            "unreadable", "ResolutionError", "no", "", writer="order.Order.v2", reader="payment/reads/order.avsc"
        )
        with store.begin() as tx:
            dead_letters.bury(tx, "shop.payment", HELLO, why, now=NOW)
        text = stamp("dlq", "show", HELLO.event_id.hex()[:6]).stdout
        assert re.search(r"written as +order.Order.v2\s+read as +payment/reads/order.avsc", text)

    def test_the_body_comes_out_as_it_was(self, stamp, ids, here, workflow):
        assert stamp("dlq", "show", ids["2"], "--body", "body.bin").exit_code == 0
        assert (here / "body.bin").read_bytes() == ordered(workflow, "2", "Bob").body
        assert stamp("dlq", "show", ids["2"], "--body", "-").stdout_bytes == ordered(workflow, "2", "Bob").body

    @pytest.mark.parametrize("form", ["text", "json"])
    def test_no_control_character_gets_out(self, stamp, store, form):
        hostile = "\x1b]0;owned\x07\x1b[2J\u202eevil\u2028\r\n"
        why = Letter(hostile, hostile, hostile, hostile)
        message = HELLO._replace(workflow_id=hostile, event=hostile, headers={hostile: hostile}, body=hostile.encode())
        with store.begin() as tx:
            dead_letters.bury(tx, hostile, message, why, now=NOW)
        for what in (["list"], ["show", HELLO.event_id.hex()]):
            done = stamp("dlq", *what, "--format", form)
            assert done.exit_code == 0
            assert "evil" in done.stdout
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", done.stdout)

    @pytest.mark.parametrize("columns", [20, 40, 80])
    def test_no_line_is_wider_than_the_terminal(self, stamp, ids, monkeypatch, columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        for which in ("2", ""):
            done = stamp("dlq", "show", ids[which])
            assert max(map(cell_len, done.stdout.split("\n"))) <= columns

    def test_for_every_reason_there_is_advice(self):
        assert {*REASONS, "delivery-limit"} == set(ADVICE)
        assert "delivery_limit" in TOLD


class TestNames:
    """What an id may be, and what is said of one that is none, or that fits several."""

    @pytest.mark.parametrize("spelled", [str, str.upper, lambda text: f" {text[:2]}-{text[2:]}", lambda text: text[:6]])
    def test_an_id_may_be_spelled_in_several_ways(self, stamp, ids, spelled):
        assert stamp("dlq", "show", spelled(ids["2"])).exit_code == 0

    @pytest.mark.parametrize("command", [["show"], ["replay"], ["discard", "--yes"]])
    @pytest.mark.parametrize("name", ["x", "3f2a9z", "", "0" * 33])
    def test_what_is_no_id_is_refused(self, stamp, ids, command, name):
        done = stamp("dlq", *command, name)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"expected the first digits of an event id, such as 3f2a90, got {name!r}" in done.stderr

    @pytest.mark.parametrize("command", [["show"], ["replay"], ["discard", "--yes"]])
    def test_an_id_that_is_dead_in_several_queues_needs_a_queue(self, stamp, ids, command):
        done = stamp("dlq", *command, ids["1"])
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"{ids['1']} of shop.parcel, {ids['1']} of shop.payment: say its queue, with --queue" in done.stderr
        assert listed(stamp) == ALL
        assert stamp("dlq", *command, ids["1"], "--step", "parcel").exit_code == 0

    def test_digits_that_fit_several_need_more(self, stamp, store):
        with store.begin() as tx:
            for last in range(8):
                message = HELLO._replace(event_id=bytes(15) + bytes([last]))
                dead_letters.bury(tx, "shop.payment", message, NONE_OF_OURS, now=NOW)
        done = stamp("dlq", "replay", "00")
        assert done.exit_code == 2
        assert re.search(r"'00', which fits 0{32} of shop.payment, .*, 3 more: say more of its digits", done.stderr)


class TestReplay:
    def test_it_is_work_again_under_its_id_with_all_attempts(self, stamp, ids, store):
        done = stamp("dlq", "replay", ids["2"][:8])
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr == f"1 dead letter replayed in {store.url}\n"
        with store.begin() as tx:
            [work] = inbox.take(tx, ["shop.payment"], limit=9, now=NOW * 2, lease=1)
        assert (work.message.event_id.hex(), work.attempt, work.failures) == (ids["2"], 1, 0)
        assert listed(stamp) == [ALL[0], ALL[2], ALL[3]]

    @pytest.mark.parametrize(
        ("filters", "left"),
        [
            ([], []),
            (["--step", "payment"], [ALL[2]]),
            (["--reason", "attempts-exhausted"], [ALL[3]]),
            (["--workflow-id", "1"], [ALL[1], ALL[3]]),
            (["--workflow-id", "3"], ALL),
        ],
    )
    @pytest.mark.parametrize("command", ["replay", "discard"])
    def test_all_are_all_that_are_wanted(self, stamp, ids, command, filters, left):
        done = stamp("dlq", command, "--all", *filters, *(["--yes"] if command == "discard" else []))
        assert done.exit_code == 0
        assert re.match(rf"{4 - len(left)} dead letters? {command}e?d in ", done.stderr)
        assert listed(stamp) == left

    def test_an_id_that_names_nothing_is_told_and_the_others_are_done(self, stamp, ids, store):
        done = stamp("dlq", "replay", ids["2"], "00000000")
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == (f"no such dead letter in {store.url}: 00000000\n1 dead letter replayed in {store.url}\n")

    def test_twice_the_same_is_once(self, stamp, ids, store):
        done = stamp("dlq", "replay", ids["2"], ids["2"][:7])
        assert (done.exit_code, done.stderr) == (0, f"1 dead letter replayed in {store.url}\n")

    @pytest.mark.parametrize(("arguments", "got"), [([], "neither"), (["00", "--all"], "both")])
    @pytest.mark.parametrize("command", [["replay"], ["discard", "--yes"]])
    def test_ids_or_all_must_be_said(self, stamp, ids, command, arguments, got):
        done = stamp("dlq", *command, *arguments)
        assert done.exit_code == 2
        assert done.stderr == f"Error: expected either ids of dead letters, or --all, got {got}\n"

    def test_more_than_fit_into_one_transaction_are_replayed(self, stamp, store):
        with store.begin() as tx:
            for number in range(250):
                message = HELLO._replace(event_id=number.to_bytes(16))
                dead_letters.bury(tx, "shop.payment", message, NONE_OF_OURS, now=NOW)
        assert stamp("dlq", "replay", "--all").stderr == f"250 dead letters replayed in {store.url}\n"
        assert listed(stamp) == []


class TestDiscard:
    def test_its_body_is_gone_and_its_event_is_known(self, stamp, ids, store, workflow):
        done = stamp("dlq", "discard", ids["2"], "--yes")
        assert (done.exit_code, done.stderr) == (0, f"1 dead letter discarded in {store.url}\n")
        with store.begin() as tx:
            assert inbox.put(tx, [("shop.payment", ordered(workflow, "2", "Bob"))], now=NOW) == 0
            assert inbox.take(tx, ["shop.payment"], limit=9, now=NOW * 2, lease=1) == []

    @pytest.mark.parametrize("arguments", [["--all"], ["00000000"]])
    def test_without_a_terminal_yes_must_be_said(self, stamp, ids, arguments):
        done = stamp("dlq", "discard", *arguments)
        assert (done.exit_code, done.stderr) == (2, "Error: expected --yes: there is no terminal to ask on\n")
        assert listed(stamp) == ALL

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    @pytest.mark.parametrize(("answer", "status", "left"), [("y", 0, [ALL[2]]), ("n", 1, ALL), ("", 1, ALL)])
    def test_on_a_terminal_it_asks(self, stamp, ids, answer, status, left):
        said, code = on_a_terminal(f"{answer}\n", "dlq", "discard", "--all", "--step", "payment")
        assert "Discard 3 dead letters for good? [y/N]" in said
        assert code == status
        assert listed(stamp) == left

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_on_a_terminal_it_does_not_ask_about_nothing(self, stamp, ids):
        said, code = on_a_terminal("", "dlq", "discard", "00000000")
        assert "for good?" not in said
        assert code == 1


def on_a_terminal(answer: str, *arguments: str) -> tuple[str, int]:
    """Run the command where its input is a terminal, and return what it says there, and its status."""
    ours, theirs = pty.openpty()
    with closing(os.fdopen(ours, "wb", buffering=0)) as keyboard:
        process = subprocess.Popen([STAMP, *arguments], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.close(theirs)
        keyboard.write(answer.encode())
        said, _ = process.communicate(timeout=60)
    return said.decode(), process.returncode


class TestWhere:
    @pytest.mark.parametrize("command", [["list"], ["show", "00"], ["replay", "--all"], ["discard", "--all", "--yes"]])
    def test_a_store_that_is_not_there_is_not_created(self, stamp, here, command):
        done = stamp("dlq", *command)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr == "Error: there is no file stamp.db: no worker has used it yet, or it is somewhere else\n"
        assert list(here.iterdir()) == []

    def test_a_database_without_our_tables_is_left_alone(self, stamp, here, database, monkeypatch):
        if database.startswith("sqlite"):
            (Path(database.removeprefix("sqlite:///"))).touch()
        done = stamp("dlq", "list", "--store", database)
        assert done.exit_code == 2
        assert "has no tables of stamp" in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--store", "none"], "expected a store or a broker to look into, got neither"),
            (["--store", "mysql://root:secret@host/x"], "expected the address of a store"),
            (["--broker", "carrier-pigeon://secret@host"], "expected the URL of a broker"),
            (
                ["--broker", "kafka://u:secret@127.0.0.1:9092"],
                "--broker: kafka://127.0.0.1:9092 does not let us look into",
            ),
            (["--broker", "redis://:secret@127.0.0.1:1", "--queue", "a.b"], "redis://127.0.0.1:1"),
            (
                ["--broker", "amqp://u:secret@127.0.0.1"],
                "--queue: expected names of queues, such as ticket.billing, or the",
            ),
            (["--broker", "amqp://u:secret@127.0.0.1:1", "--queue", "a.b"], "amqp://u@127.0.0.1:1"),
        ],
    )
    def test_a_place_that_cannot_be_looked_into_is_one_line_without_a_password(self, stamp, here, arguments, said):
        done = stamp("dlq", "list", *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in done.stderr
        assert "secret" not in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_the_settings_say_where(self, stamp, here, monkeypatch):
        monkeypatch.delenv("STAMP_STORE", raising=False)
        (here / "stamp.toml").write_text('store = "sqlite:///other.db"')
        Store.open("sqlite:///other.db").close()
        assert stamp("dlq", "list").stdout == "no dead letters in sqlite:///other.db\n"


def test_what_is_written_in_a_header_is_read_from_it():
    for error in (KeyError("a: b"), ValueError(""), RuntimeError("two\nlines")):
        why = letter(error)
        assert read(written(why)) == why._replace(traceback="")
    assert read("too-large") == Letter("too-large", "", "")


class Shop:
    """A workflow on a RabbitMQ, whose letters lie in its dead letter queues."""

    def __init__(self, folder: Path, url: str, name: str, channel: amqp.Channel) -> None:
        self.url, self.name, self.channel = url, name, channel
        self.workflow = shop(folder, name)
        self.broker = RabbitMQ(url)
        self.topology = Topology.of(name, {"payment": ["Ordered"], "parcel": ["Paid"]})
        self.queue = f"{name}.payment"

    def send(self, *messages: Message) -> None:
        sender = self.broker.sender(self.topology)
        with closing(sender):
            sender.post([Parcel(each, (self.queue,)) for each in messages])
            assert sender.confirm(10) == [None] * len(messages)

    def dies(self, number: int, how: Callable[[Arrival], None] | str) -> None:
        """Let so many messages of payment be buried with this reason, or rejected in this way."""
        receiver = self.broker.receiver(self.topology, [self.queue], prefetch=1000)
        with closing(receiver):
            arrivals: list[Arrival] = []
            while len(arrivals) < number:
                arrivals += receiver.receive(10)
            for each in arrivals:
                receiver.bury(each, how) if isinstance(how, str) else how(each)

    def waiting(self) -> list[amqp.Message]:
        """Take what waits for payment."""
        return list(iter(lambda: self.channel.basic_get(self.queue, no_ack=True), None))

    def dead(self) -> int:
        return self.channel.queue_declare(f"{self.queue}.dead", passive=True).message_count


@pytest.fixture
def on_rabbitmq(here: Path, rabbitmq: tuple[str, str, amqp.Channel]) -> Shop:
    shop = Shop(here / "schemas", *rabbitmq)
    export(shop.workflow)
    return shop


class TestRabbitMQ:
    def test_looking_loses_nothing(self, stamp, on_rabbitmq):
        on_rabbitmq.send(ordered(on_rabbitmq.workflow, "1"), ordered(on_rabbitmq.workflow, "2"))
        on_rabbitmq.dies(2, "attempts-exhausted: KeyError: 'no: account'")
        for _ in range(30):  # RabbitMQ 4 drops a message after 20 looks, unless the queue has another limit
            done = stamp("dlq", "list", "--broker", on_rabbitmq.url, "--format", "json")
            assert (done.exit_code, done.stderr) == (0, "")
            shown = sorted(map(json.loads, done.stdout.splitlines()), key=lambda each: each["workflow_id"])
        assert [each["workflow_id"] for each in shown] == ["1", "2"]
        first = shown[0]
        assert (first["queue"], first["workflow"], first["event"]) == (on_rabbitmq.queue, on_rabbitmq.name, "Ordered")
        assert (first["reason"], first["error_type"], first["error_message"]) == (
            "attempts-exhausted",
            "KeyError",
            "'no: account'",
        )

    def test_one_is_shown_as_one_of_a_store_is(self, stamp, on_rabbitmq):
        message = ordered(on_rabbitmq.workflow, "1", "Eve")
        on_rabbitmq.send(message)
        on_rabbitmq.dies(1, "too-large")
        done = stamp("dlq", "show", message.event_id.hex()[:9], "--broker", on_rabbitmq.url)
        assert done.exit_code == 0
        assert " customer  order v1        0  Eve" in done.stdout
        assert "stamp-reason" not in done.stdout
        assert "x-delivery-count" not in done.stdout
        body = stamp("dlq", "show", message.event_id.hex(), "--broker", on_rabbitmq.url, "--body", "-").stdout_bytes
        assert body == message.body

    def test_what_rabbitmq_has_buried_itself_says_why(self, stamp, on_rabbitmq):
        on_rabbitmq.send(ordered(on_rabbitmq.workflow, "1"))
        on_rabbitmq.dies(1, lambda arrival: arrival.tag.channel.basic_reject(arrival.tag.delivery_tag, requeue=False))
        done = stamp("dlq", "list", "--broker", on_rabbitmq.url, "--format", "json")
        shown = json.loads(done.stdout)
        assert (shown["reason"], shown["error_message"]) == ("rejected", "a consumer rejected it")
        assert re.fullmatch(r"20\d\d-.*\+00:00", shown["last_at"])

    def test_replay_puts_it_back_as_it_was_sent(self, stamp, on_rabbitmq):
        message = ordered(on_rabbitmq.workflow, "1")
        on_rabbitmq.send(message)
        on_rabbitmq.dies(1, "too-large: LimitError: so large")
        done = stamp("dlq", "replay", message.event_id.hex(), "--broker", on_rabbitmq.url)
        assert (done.exit_code, on_rabbitmq.dead()) == (0, 0)
        assert re.fullmatch(r"1 dead letter replayed in amqp://guest@\S+\n", done.stderr)
        [again] = on_rabbitmq.waiting()
        assert again.body == message.body
        headers = again.properties.pop("application_headers")
        assert headers.pop("x-delivery-count") == 0
        assert headers == dict(message.headers)
        assert again.properties == {
            "content_type": "application/vnd.stamp.envelope.v1+avro",
            "content_encoding": "binary",
            "delivery_mode": 2,
            "message_id": message.event_id.hex(),
            "type": "Ordered",
        }

    def test_more_than_fit_into_one_window_are_replayed_each_once(self, stamp, on_rabbitmq):
        messages = [ordered(on_rabbitmq.workflow, str(number)) for number in range(250)]
        on_rabbitmq.send(*messages)
        on_rabbitmq.dies(250, "worker-died")
        done = stamp("dlq", "replay", "--all", "--broker", on_rabbitmq.url)
        assert done.stderr.startswith("250 dead letters replayed in ")
        assert on_rabbitmq.dead() == 0
        assert sorted(each.body for each in on_rabbitmq.waiting()) == sorted(each.body for each in messages)

    def test_only_what_is_wanted_ends(self, stamp, on_rabbitmq):
        first, second = ordered(on_rabbitmq.workflow, "1"), ordered(on_rabbitmq.workflow, "2")
        on_rabbitmq.send(first)
        on_rabbitmq.dies(1, "too-large")
        on_rabbitmq.send(second)
        on_rabbitmq.dies(1, "unreadable")
        place = ("--broker", on_rabbitmq.url, "--step", "payment")
        assert stamp("dlq", "discard", "--all", "--yes", "--reason", "unreadable", *place).exit_code == 0
        assert [run for _, run in listed(stamp, *place)] == ["1"]
        assert stamp("dlq", "discard", first.event_id.hex(), second.event_id.hex(), "--yes", *place).exit_code == 1
        assert (listed(stamp, *place), on_rabbitmq.waiting()) == ([], [])

    def test_what_cannot_be_put_back_stays_dead(self, stamp, on_rabbitmq):
        on_rabbitmq.send(ordered(on_rabbitmq.workflow, "1"))
        on_rabbitmq.dies(1, "too-large")
        on_rabbitmq.channel.queue_delete(on_rabbitmq.queue)
        done = stamp("dlq", "replay", "--all", "--broker", on_rabbitmq.url)
        assert done.exit_code == 2
        assert "0 dead letters replayed" in done.stderr
        assert "there is no queue" in done.stderr
        assert listed(stamp, "--broker", on_rabbitmq.url) == [(on_rabbitmq.queue, "1")]

    def test_what_is_no_envelope_can_be_looked_at_and_has_an_id(self, stamp, on_rabbitmq):
        on_rabbitmq.send()
        headers = {"x-death": "soon", "stamp-reason": "no-envelope", "number": 7, "CC": [f"{on_rabbitmq.name}.parcel"]}
        foreign = amqp.Message(b"hello", application_headers=headers, content_encoding="gzip")
        on_rabbitmq.channel.basic_publish_confirm(foreign, "", f"{on_rabbitmq.queue}.dead")
        place = ("--broker", on_rabbitmq.url)
        shown = json.loads(stamp("dlq", "list", "--format", "json", *place).stdout)
        assert (shown["workflow_id"], shown["reason"], shown["bytes"]) == ("", "no-envelope", 5)
        assert "hello" in stamp("dlq", "show", shown["id"], *place).stdout
        assert stamp("dlq", "discard", shown["id"], "--yes", *place).exit_code == 0
        assert on_rabbitmq.dead() == 0

    def test_queues_are_those_that_are_named_or_that_have_contracts(self, stamp, on_rabbitmq, here):
        on_rabbitmq.send(ordered(on_rabbitmq.workflow, "1"))
        on_rabbitmq.dies(1, "too-large")
        place = ("--broker", on_rabbitmq.url)
        export(shop(here / "schemas", "never-run"))
        assert len(listed(stamp, *place)) == 1
        (here / "schemas").rename(here / "elsewhere")
        assert len(listed(stamp, *place, "--queue", on_rabbitmq.queue)) == 1
        assert len(listed(stamp, *place, "--step", "payment", "--schemas", "elsewhere")) == 1
        refused = stamp("dlq", "list", *place, "--step", "payment")
        assert (refused.exit_code, "a broker does not tell its queues; got payment" in refused.stderr) == (2, True)

    @pytest.mark.parametrize("command", [["list"], ["replay", "--all"], ["discard", "--all", "--yes"]])
    def test_a_queue_that_is_named_and_not_there_is_told(self, stamp, on_rabbitmq, command):
        done = stamp("dlq", *command, "--broker", on_rabbitmq.url, "--queue", f"{on_rabbitmq.name}.paiment")
        assert done.exit_code == 1
        assert f"has no dead letter queue for {on_rabbitmq.name}.paiment: is it misspelt" in done.stderr

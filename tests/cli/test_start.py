"""First events get where workers find them: each good line once, whatever else is in the input."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from stamp.envelope.envelope import Envelope
from stamp.store import inbox, outbox
from stamp.store.store import Store

STAMP = Path(sysconfig.get_path("scripts")) / "stamp"

SHOP = """
from pydantic import BaseModel, field_validator
from stamp import Workflow

shop = Workflow("NAME")

class Order(BaseModel):
    customer: str
    note: str = ""

    @field_validator("customer")
    def customer_is_no_crash(cls, customer):
        if customer == "crash":
            raise ZeroDivisionError("in a validator")
        return customer

shop.starts("order", Order, emits="Ordered")

@shop.step(on="Ordered", emits="Paid")
def payment(order: Order) -> Order:
    return order

unheard = Workflow("unheard")
unheard.starts("order", Order, emits="Nothing")

several = Workflow("several")
several.starts("one", Order, emits="One")
several.starts("other", Order, emits="Other")

@several.step(on=["One", "Other"], emits="Done")
def done(one: Order | None, other: Order | None) -> Order:
    return one or other
"""


@pytest.fixture
def shop(here: Path) -> str:
    (here / "shop.py").write_text(SHOP.replace("NAME", "shop"))
    return "shop:shop"


@pytest.fixture
def place(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store that the environment names."""
    monkeypatch.setenv("STAMP_STORE", database)
    return database


def waiting(database: str, queue: str = "shop.payment") -> list[str]:
    """Take what waits, and return its runs."""
    with Store.open(database, create=False) as store, store.begin() as tx:
        works = inbox.take(tx, [queue], limit=1000, now=2**62, lease=1)
    return [each.message.workflow_id for each in works]


def order(workflow_id: str, **more: object) -> dict:
    return {"workflow_id": workflow_id, "customer": "Ada", **more}


class TestInput:
    def test_every_line_is_a_run(self, stamp, shop, place, write_lines):
        done = stamp("start", shop, "--input", write_lines([order(str(number)) for number in range(250)]))
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr.startswith("250 runs started on ")
        assert waiting(place) == [str(number) for number in range(250)]

    def test_standard_input_is_a_file_too(self, stamp, shop, place):
        assert stamp("start", shop, "--input", "-", input=json.dumps(order("1")).encode()).exit_code == 0
        assert waiting(place) == ["1"]

    def test_one_run_can_be_given_as_it_is(self, stamp, shop, place):
        done = stamp("start", shop, "--json", json.dumps(order("1", note="陈美玲"), indent=2, ensure_ascii=False))
        assert (done.exit_code, done.stderr.startswith("1 run started on ")) == (0, True)
        with Store.open(place) as store, store.begin() as tx:
            [work] = inbox.take(tx, ["shop.payment"], limit=1, now=2**62, lease=1)
        [first] = Envelope.from_bytes(work.message.body).contributions
        assert (first.event, work.message.workflow_id) == ("Ordered", "1")
        assert "陈美玲".encode() in first.payload

    def test_a_run_that_was_started_is_not_started_again(self, stamp, shop, place):
        first, second = (stamp("start", shop, "--json", json.dumps(order("1"))) for _ in range(2))
        assert (first.exit_code, second.exit_code) == (0, 0)
        assert first.stderr.startswith("1 run started on ")
        assert second.stderr == "1 run already started with the same content\n"
        assert waiting(place) == ["1"]

    def test_a_used_id_is_a_bad_line_and_the_others_are_started(self, stamp, shop, place, write_lines):
        stamp("start", shop, "--input", write_lines([order("1"), order("2"), order("3")]))
        lines = [order("4"), order("2", note="other"), order("3"), order("1", note="other"), order("5")]
        done = stamp("start", shop, "--input", write_lines(lines))
        *told, repeated, started = done.stderr.splitlines()
        assert (done.exit_code, [each.split(":")[1] for each in told]) == (1, ["2", "4"])
        assert "workflow_id: expected the id of a new run" in told[0]
        assert repeated == "1 run already started with the same content"
        assert started.startswith("2 runs started on ")
        assert sorted(waiting(place)) == ["1", "2", "3", "4", "5"]

    def test_one_run_of_a_used_id_is_refused(self, stamp, shop, place):
        stamp("start", shop, "--json", json.dumps(order("1")))
        done = stamp("start", shop, "--json", json.dumps(order("1", note="other")))
        assert (done.exit_code, "got '1', which began with other content" in done.stderr) == (1, True)

    def test_bad_lines_are_told_and_the_others_started(self, stamp, shop, place, write_lines):
        lines = [
            order("1"),
            b"nonsense",
            {"customer": "Ada"},
            order("2", nots="misspelt"),
            order("1"),
            {"workflow_id": "3", "customer": "crash"},
            b"\xff\xfe",
            order("4"),
        ]
        done = stamp("start", shop, "--input", write_lines(lines))
        assert (done.exit_code, done.stdout) == (1, "")
        *told, last = done.stderr.splitlines()
        assert [each.split(":")[1] for each in told] == ["2", "3", "4", "5", "6", "7"]
        assert "expected the id of the run" in told[1]
        assert "nots" in told[2]
        assert "as on line 1" in told[3]
        assert "ZeroDivisionError: in a validator, raised at" in told[4]
        assert last.startswith("2 runs started on ")
        assert waiting(place) == ["1", "4"]

    def test_of_many_bad_lines_the_first_are_told_and_the_others_counted(self, stamp, shop, place, write_lines):
        done = stamp("start", shop, "--input", write_lines([b"x"] * 50 + [order("1")]))
        assert done.exit_code == 1
        assert len(done.stderr.splitlines()) == 22
        assert "... and 30 bad lines more" in done.stderr

    @pytest.mark.parametrize("text", ["", " ", "[]", "{", '{"workflow_id": ""}', '"\x1b[2J"'])
    def test_json_that_is_no_run_is_told(self, stamp, shop, place, text):
        done = stamp("start", shop, "--json", text)
        assert done.exit_code == 1
        assert done.stderr.startswith("--json:1: ")
        assert "\x1b" not in done.stderr
        assert waiting(place) == []

    def test_an_argument_that_is_no_text_is_told(self, shop, here):
        command = [os.fsencode(STAMP), b"start", b"shop:shop", b"--json", b'{"workflow_id": "\xff"}']
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert done.stderr.startswith(b"--json:1: ")

    def test_which_start_is_meant_must_be_said_where_there_are_several(self, stamp, shop, place):
        done = stamp("start", "shop:several", "--json", json.dumps(order("1")))
        assert (done.exit_code, "one, other: choose with --start" in done.stderr) == (2, True)
        assert stamp("start", "shop:several", "--json", json.dumps(order("1")), "--start", "other").exit_code == 0
        assert waiting(place, "several.done") == ["1"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["shop:shop"], "expected either --json or --input"),
            (["shop:shop", "--json", "{}", "--input", "-"], "expected either --json or --input"),
            (["shop:nothing", "--json", "{}"], "expected a Workflow, got nothing of that name"),
            (["shop:shop", "--json", "{}", "--store", "none"], "expected a broker or a store, got neither"),
            (["shop:shop", "--json", "{}", "--store", "mysql://u:secret@h/x"], "expected the address of a store"),
            (["shop:shop", "--json", "{}", "--store", "secret"], "got something that is no URL"),
            (["shop:shop", "--json", "{}", "--broker", "pigeon://u:secret@h"], "expected the URL of a broker"),
            (
                ["shop:shop", "--json", "{}", "--store", "none", "--broker", "redis://:secret@h"],
                "expected a store beside",
            ),
            (["shop:shop", "--json", "{}", "--store", "sqlite:////nowhere/x.db"], "unable to open database file"),
            (["shop:shop", "--json", "{}", "--start", "payment"], "expected a step that starts shop (order)"),
            (
                ["shop:unheard", "--json", '{"workflow_id": "1", "customer": "A"}'],
                "expected an event that somebody listens to, got 'Nothing'",
            ),
            (
                [
                    "shop:shop",
                    "--json",
                    '{"workflow_id": "1", "customer": "A"}',
                    "--broker",
                    "amqp://u:secret@127.0.0.1:1",
                ],
                "amqp://u@127.0.0.1:1",
            ),
        ],
    )
    def test_what_cannot_be_done_is_one_line_without_a_password(self, stamp, shop, here, arguments, said):
        done = stamp("start", *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in done.stderr
        assert "secret" not in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_a_file_that_is_not_there_is_told(self, stamp, shop):
        done = stamp("start", shop, "--input", "nowhere.jsonl")
        assert (done.exit_code, "does not exist" in done.stderr) == (2, True)


class TestWhere:
    def test_options_go_before_the_environment_and_that_before_the_settings(self, stamp, shop, here, monkeypatch):
        (here / "stamp.toml").write_text('store = "sqlite:///settings.db"')
        run = json.dumps(order("1"))
        monkeypatch.delenv("STAMP_STORE", raising=False)
        assert stamp("start", shop, "--json", run).stderr == "1 run started on sqlite:///settings.db\n"
        monkeypatch.setenv("STAMP_STORE", "sqlite:///environment.db")
        assert stamp("start", shop, "--json", run).stderr == "1 run started on sqlite:///environment.db\n"
        done = stamp("start", shop, "--json", run, "--store", "sqlite:///option.db")
        assert done.stderr == "1 run started on sqlite:///option.db\n"
        for name in ("settings", "environment", "option"):
            assert waiting(f"sqlite:///{name}.db") == ["1"]

    @pytest.mark.parametrize("given", ["--store", "STAMP_STORE", "stamp.toml"])
    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
    def test_a_store_in_memory_would_lose_the_events_and_is_refused(self, stamp, shop, here, monkeypatch, given, url):
        if given == "stamp.toml":
            (here / given).write_text(f'store = "{url}"')
        elif given == "STAMP_STORE":
            monkeypatch.setenv(given, url)
        options = ["--store", url] if given == "--store" else []
        started = ("start", shop, "--broker", "filesystem://queues", "--json", json.dumps(order("1")), *options)
        for arguments in (started, ("contracts", "list", *options), ("dlq", "list", *options)):
            done = stamp(*arguments)
            assert done.exit_code == 2
            assert done.stderr.startswith(
                "Error: expected a store that outlives the process, such as sqlite:///stamp.db"
            )
        assert not (here / "queues").exists()

    def test_a_file_in_the_settings_is_seen_from_them(self, stamp, shop, here, monkeypatch):
        monkeypatch.delenv("STAMP_STORE", raising=False)
        (here / ".git").mkdir()
        (here / "pyproject.toml").write_text('[tool.stamp]\nstore = "sqlite:///shop.db"')
        (here / "service").mkdir()
        (here / "service/shop.py").write_text((here / "shop.py").read_text())
        monkeypatch.chdir(here / "service")
        assert (
            stamp("start", shop, "--json", json.dumps(order("1"))).stderr == "1 run started on sqlite:///../shop.db\n"
        )
        assert waiting(f"sqlite:///{here}/shop.db") == ["1"]

    @pytest.mark.parametrize("setting", ["store = 5", 'store = ""', "broker = []"])
    def test_settings_that_are_none_are_told_with_their_place(self, stamp, shop, here, monkeypatch, setting):
        monkeypatch.delenv("STAMP_STORE", raising=False)
        (here / "stamp.toml").write_text(setting)
        done = stamp("start", shop, "--json", "{}")
        assert done.exit_code == 2
        assert done.stderr.startswith(f"Error: stamp.toml: {setting.split()[0]}: expected a URL, got ")

    @pytest.mark.parametrize("store", ["none", "sqlite:///shop.db"])
    def test_a_broker_has_the_events_when_the_command_ends(self, stamp, here, rabbitmq, store):
        url, name, channel = rabbitmq
        (here / "shop.py").write_text(SHOP.replace("NAME", name))
        done = stamp("start", "shop:shop", "--json", json.dumps(order("1")), "--broker", url, "--store", store)
        assert done.exit_code == 0
        assert done.stderr.startswith("1 run started on amqp://guest@")
        message = channel.basic_get(f"{name}.payment", no_ack=True)
        assert Envelope.from_bytes(message.body).workflow_id == "1"
        if store != "none":
            with Store.open(store) as opened, opened.begin() as tx:
                assert outbox.due(tx, now=2**62, limit=1, rest=lambda _: 0) == []

    def test_with_a_store_events_wait_for_a_broker_that_is_away(self, stamp, shop, here):
        place = ("--broker", "amqp://127.0.0.1:1", "--store", "sqlite:///shop.db")
        done = stamp("start", shop, "--json", json.dumps(order("1")), *place)
        assert done.exit_code == 2
        assert done.stderr.startswith(
            "Error: 1 run: stored in sqlite:///shop.db and not sent yet; a worker that shares "
        )
        assert len(done.stderr.splitlines()) == 1
        with Store.open("sqlite:///shop.db") as store, store.begin() as tx:
            [due] = outbox.due(tx, now=2**62, limit=9, rest=lambda _: 0)
        assert (due.message.workflow_id, due.consumer) == ("1", "shop.payment")

    def test_with_a_store_all_of_an_input_is_stored_and_a_second_time_sends_it(
        self, stamp, here, rabbitmq, write_lines
    ):
        url, name, channel = rabbitmq
        (here / "shop.py").write_text(SHOP.replace("NAME", name))
        given = ("start", "shop:shop", "--store", "sqlite:///shop.db", "--input")
        lines = [*(order(str(number)) for number in range(101)), b"nonsense", order("last")]
        done = stamp(*given, write_lines(lines), "--broker", "amqp://127.0.0.1:1")
        assert done.exit_code == 2
        assert [each.partition(":")[0] for each in done.stderr.splitlines()] == [str(here / "lines.jsonl"), "Error"]
        assert "Error: 102 runs: stored in sqlite:///shop.db and not sent yet" in done.stderr
        again = stamp(*given, write_lines(lines), "--broker", url)
        assert (again.exit_code, "102 runs already started" in again.stderr) == (1, True)
        assert channel.queue_declare(f"{name}.payment", passive=True).message_count == 102

    def test_without_a_store_a_broker_that_is_away_is_all_there_is_to_say(self, stamp, shop, here):
        place = ("--broker", "amqp://127.0.0.1:1", "--store", "none")
        done = stamp("start", shop, "--json", json.dumps(order("1")), *place)
        assert (done.exit_code, "stored" in done.stderr, "started" in done.stderr) == (2, False, False)

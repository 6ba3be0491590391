"""Workers as they are run: several processes over one database, killed and told to stop, and what they say."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from pydantic import BaseModel
from sqlalchemy import make_url

from stamp import Workflow
from stamp.envelope.envelope import Envelope
from stamp.store import dead_letters, finals, inbox
from stamp.store.message import Message
from stamp.store.store import Store

from ..runtime.transports.proxy import Proxy  # noqa: TID252 - tests are no package that could be imported by its name

STAMP = Path(sysconfig.get_path("scripts")) / "stamp"
PATIENCE = 60.0
"""Seconds to wait for what must come."""

SHOP = """
import os, sys, time
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import text
from stamp import StepContext, Workflow

shop = Workflow("shop")

class Order(BaseModel):
    customer: str
    do: str = ""

class Paid(BaseModel):
    receipt: str

shop.starts("order", Order, emits="Ordered")

@shop.step(on="Ordered", emits="Paid")
def payment(order: Order, context: StepContext) -> Paid:
    if "write" in order.do:
        context.transaction.execute(text("INSERT INTO paid VALUES (:run)"), {"run": context.workflow_id})
    if "wait" in order.do:
        Path("waiting").touch()
        while not Path("go").exists():
            time.sleep(0.01)
    if order.do == "raise":
        raise ValueError("no account: " + order.customer)
    if order.do == "bug":
        raise GeneratorExit
    return Paid(receipt=order.do)

@shop.step(on="Paid", emits="Sent")
def parcel(payment: Paid) -> Paid:
    return payment
"""


class Worker:
    """A `stamp run` of its own; what it says is in `log`."""

    def __init__(self, log: Path, *arguments: object, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("wb") as stderr:
            command = [STAMP, "run", *map(str, arguments)]
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stderr, env=os.environ | dict(environment or {})
            )

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def until(self, text: str) -> Worker:
        wait_for(lambda: text in self.said or self.process.poll() is not None)
        assert text in self.said
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to stop, and return its exit status."""
        self.process.send_signal(number)
        return self.status()

    def status(self) -> int:
        out, _ = self.process.communicate(timeout=PATIENCE)
        assert out == b""
        return self.process.returncode


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


Run = Callable[..., Worker]


@pytest.fixture
def run(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return `run(*arguments, environment={})`, which starts a worker."""
    for name in [name for name in os.environ if name.startswith("STAMP_") and not name.startswith("STAMP_TEST")]:
        monkeypatch.delenv(name)
    (here / "shop.py").write_text(SHOP)
    with ExitStack() as stack:

        def start(*arguments: object, environment: Mapping[str, str] | None = None) -> Worker:
            number = len(list(here.glob("*.log")))
            worker = Worker(here / f"{number}.log", *arguments, environment=environment)
            stack.enter_context(worker.process)
            stack.callback(worker.process.kill)
            return worker

        yield start


def ended(url: str) -> list[Envelope]:
    """Return the final events of a store."""
    with Store.open(url, create=False) as store, store.read() as connection:
        return [Envelope.from_bytes(each.body) for each in finals.find(connection)]


def events(url: str) -> Counter[str]:
    return Counter(each.contributions[-1].event for each in ended(url))


def orders(*dos: str) -> bytes:
    lines = [{"workflow_id": str(number), "customer": "Ada", "do": do} for number, do in enumerate(dos)]
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


FILE = "sqlite:///stamp.db"


class TestTogether:
    @pytest.mark.slow
    def test_two_workers_and_a_start_over_one_file_as_the_help_has_it(self, stamp, run, root):
        ticket = "examples.ticket:ticket"
        environment = {"PYTHONPATH": str(root)}
        steps = ("validation", "assignment", "notification", "resolution", "billing", "survey")
        first = run(ticket, *(f"--step={each}" for each in steps[:3]), environment=environment)
        second = run(ticket, *(f"--step={each}" for each in steps[3:]), environment=environment)
        done = stamp("start", ticket, "--input", root / "examples/ticket/tickets.jsonl")
        assert done.stderr == f"100 runs started on {FILE}\n"
        wait_for(lambda: events(FILE).total() == 100)
        assert events(FILE) == {"SurveyAnswered": 90, "TicketRejected": 10}
        assert (first.end(), second.end()) == (0, 0)
        for worker, performed in ((first, steps[:3]), (second, steps[3:])):
            [said] = re.findall(r"working on (.*)", worker.said)
            assert set(said.split(", ")) == {f"ticket.{each}" for each in performed}
        shown = stamp("decode", "--workflow-id", "4729", "--schemas", root / "schemas")
        assert (shown.exit_code, "ticket 4729" in shown.stdout) == (0, True)

    @pytest.mark.slow
    def test_a_killed_worker_leaves_everything_to_others_and_every_effect_is_there_once(
        self, stamp, run, here, database
    ):
        with Store.open(database) as store, store.begin() as tx:
            tx.exec_driver_sql("CREATE TABLE paid (run VARCHAR(20))")
        dos = orders(*["write"] * 60, *["write and wait"] * 3, *["write"] * 60)
        assert stamp("start", "shop:shop", "--store", database, "--input", "-", input=dos).exit_code == 0
        arguments = ("shop:shop", "--store", database, "--lease", 1)
        victims = [run(*arguments), run(*arguments)]
        wait_for((here / "waiting").exists)
        for each in victims:
            assert each.end(signal.SIGKILL) == -signal.SIGKILL
        assert events(database).total() < 123
        (here / "go").touch()
        heir = run(*arguments)
        wait_for(lambda: events(database).total() == 123)
        assert heir.end() == 0
        with Store.open(database) as store, store.read() as connection:
            paid = [row[0] for row in connection.exec_driver_sql("SELECT run FROM paid")]
        assert sorted(paid) == sorted(str(number) for number in range(123))


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_what_is_begun_is_finished(self, stamp, run, here, number):
        stamp("start", "shop:shop", "--input", "-", input=orders("wait"))
        worker = run("shop:shop", "--step", "payment")
        wait_for((here / "waiting").exists)
        worker.process.send_signal(number)
        time.sleep(0.2)
        assert worker.process.poll() is None
        (here / "go").touch()
        assert worker.status() == 0
        other = run("shop:shop", "--step", "parcel")
        wait_for(lambda: events(FILE) == {"Sent": 1})
        assert other.end() == 0
        assert other.said.splitlines()[-1].endswith(" info     stamp.worker stopped")

    def test_who_is_told_twice_does_not_wait(self, stamp, run, here):
        stamp("start", "shop:shop", "--input", "-", input=orders("wait"))
        worker = run("shop:shop")
        wait_for((here / "waiting").exists)
        worker.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert worker.end(signal.SIGTERM) == -signal.SIGTERM

    def test_an_idle_worker_stops_at_once(self, run):
        assert run("shop:shop").until("working on shop.payment, shop.parcel").end() == 0

    def test_a_worker_that_waits_for_its_database_stops(self, run):
        worker = run("shop:shop", "--store", "postgresql://ada:sec-ret@127.0.0.1:1/shop")
        assert worker.until("trying again").end() == 0
        assert "sec-ret" not in worker.said

    def test_a_worker_that_waits_for_its_broker_stops(self, run):
        worker = run("shop:shop", "--broker", "amqp://ada:sec-ret@127.0.0.1:1")
        assert worker.until("trying again").end() == 0
        assert "sec-ret" not in worker.said

    def test_a_worker_that_cannot_go_on_says_why_and_ends_with_2(self, stamp, run):
        stamp("start", "shop:shop", "--input", "-", input=orders("bug"))
        worker = run("shop:shop")
        assert worker.status() == 2
        assert "critical stamp.worker cannot go on" in worker.said
        assert "GeneratorExit" in worker.said


def forget_to_announce(store: Store) -> None:
    """Put an order into the inbox that a service has written which nobody here knows."""

    class Larger(BaseModel):
        customer: str
        size: int

    other = Workflow("shop", contracts="nowhere")
    other.starts("order", Larger, emits="Ordered")
    event, body, headers = other.start(Larger(customer="Ada", size=3), workflow_id="7")
    message = Message("shop", "7", event, bytes.fromhex(headers["ce-id"]), body, headers)
    with store.begin() as tx:
        inbox.put(tx, [("shop.payment", message)], now=time.time_ns() // 1_000)


class TestUnknownSchema:
    def test_its_messages_wait_and_are_told_of_until_the_patience_is_over(self, run, here):
        with Store.open(FILE) as store:
            forget_to_announce(store)
        worker = run("shop:shop", "--health", "127.0.0.1:0", "--schema-patience", 3600)
        worker.until("messages wait for a schema: order: expected a schema that the catalog knows")
        [port] = re.findall(r"health at http://127\.0\.0\.1:(\d+)/ready", worker.said)
        with pytest.raises(HTTPError, match="503") as refused:
            urlopen(f"http://127.0.0.1:{port}/ready")
        [wrong] = json.load(refused.value)["wrong"]
        assert wrong.startswith("shop.payment: messages wait for a schema: order: ")
        assert "in what the step 'order' of the workflow 'shop' wrote" in wrong
        assert worker.end() == 0
        assert run("shop:shop", "--schema-patience", 1).until("dead letter (unknown-schema)").end() == 0


class TestLog:
    def test_every_line_of_a_json_log_is_a_record(self, stamp, run):
        stamp(
            "start", "shop:shop", "--json", json.dumps({"workflow_id": "a\nb", "customer": "陈\x1b[2J", "do": "raise"})
        )
        worker = run("shop:shop", "--log-format", "json", "--attempts", 2)
        worker.until("dead letter")
        assert worker.end() == 0
        records = [json.loads(line) for line in worker.said.splitlines()]
        assert all({"time", "level", "logger", "message"} <= each.keys() for each in records)
        assert {each["level"] for each in records} == {"info", "warning", "error"}
        [letter] = [each for each in records if each["level"] == "error"]
        assert letter["message"].startswith("shop.payment: dead letter (attempts-exhausted): ValueError")
        assert "陈" in letter["message"]
        assert (letter["workflow_id"], letter["event"], letter["attempt"]) == ("a\nb", "Ordered", 2)
        assert re.fullmatch("[0-9a-f]{32}", letter["event_id"])
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", letter["time"])

    def test_a_text_log_keeps_what_a_sender_wrote_on_one_line(self, stamp, run):
        hostile = "1\n2026-01-01 info all is well\x1b[2J\u202e"
        stamp("start", "shop:shop", "--json", json.dumps({"workflow_id": hostile, "customer": "Ada", "do": "raise"}))
        worker = run("shop:shop", "--attempts", 1)
        worker.until("dead letter")
        assert worker.end() == 0
        assert all(re.match(r"20\d\d-\d\d-\d\dT\S+ (info|error) +stamp\.", line) for line in worker.said.splitlines())
        assert "workflow_id=1\\n2026-01-01 info all is well\\x1b[2J\\u202e" in worker.said

    def test_a_level_keeps_what_is_below_it_away(self, run):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        worker = run("shop:shop", "--health", f"127.0.0.1:{port}", "--log-level", "warning")
        wait_for(lambda: answers(port))
        assert worker.end() == 0
        assert worker.said == ""

    def test_a_traceback_is_told(self, stamp, run):
        stamp("start", "shop:shop", "--input", "-", input=orders("bug"))
        worker = run("shop:shop", "--log-format", "json")
        assert worker.status() == 2
        [record] = [each for each in map(json.loads, worker.said.splitlines()) if each["level"] == "critical"]
        assert record["exception"].startswith("Traceback")


class TestHealth:
    def asked(self, worker: Worker, path: str) -> tuple[int, dict]:
        [port] = re.findall(r"health at http://127\.0\.0\.1:(\d+)/ready", worker.said)
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    def test_a_worker_that_works_is_live_and_ready(self, run):
        worker = run("shop:shop", "--health", "127.0.0.1:0").until("working on")
        assert self.asked(worker, "/live") == (200, {"ok": True, "wrong": []})
        wait_for(lambda: self.asked(worker, "/ready") == (200, {"ok": True, "wrong": []}))
        assert self.asked(worker, "/other")[0] == 404
        assert worker.end() == 0

    def test_a_worker_that_waits_for_its_database_is_live_and_says_so_until_it_is_there(self, run, stamp, postgresql):
        there = make_url(postgresql)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        late = there.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        worker = run("shop:shop", "--health", "127.0.0.1:0", "--store", late).until("trying again")
        assert self.asked(worker, "/live") == (200, {"ok": True, "wrong": []})
        status, said = self.asked(worker, "/ready")
        assert (status, said["ok"]) == (503, False)
        assert said["wrong"][0].startswith("store: postgresql://")
        assert "Connection refused" in said["wrong"][0]
        stamp("start", "shop:shop", "--input", "-", "--store", postgresql, input=orders("", ""))
        proxy = Proxy(there.port or 5432, port)
        try:
            wait_for(lambda: self.asked(worker, "/ready")[0] == 200)
            wait_for(lambda: events(postgresql) == {"Sent": 2})
            assert worker.end() == 0
        finally:
            proxy.cut()

    def test_a_process_answers_while_its_module_is_being_imported(self, run, here):
        (here / "slow.py").write_text(
            SHOP.replace("shop = ", "while not Path('go').exists(): time.sleep(0.01)\nshop = ", 1)
        )
        worker = run("slow:shop", "--health", "127.0.0.1:0").until("health at")
        assert self.asked(worker, "/live")[0] == 200
        assert self.asked(worker, "/ready") == (503, {"ok": False, "wrong": ["starting"]})
        (here / "go").touch()
        wait_for(lambda: self.asked(worker, "/ready")[0] == 200)
        assert worker.end() == 0

    def test_a_mistake_does_not_wait_for_the_database(self, run):
        worker = run("shop:shop", "--step", "paiment", "--store", "postgresql://127.0.0.1:1/shop")
        assert worker.status() == 2
        assert "got 'paiment'" in worker.said

    def test_a_worker_without_its_broker_is_live_and_not_ready(self, run):
        worker = run("shop:shop", "--health", "127.0.0.1:0", "--broker", "amqp://ada:sec-ret@127.0.0.1:1")
        worker.until("trying again")
        assert self.asked(worker, "/live")[0] == 200
        status, said = self.asked(worker, "/ready")
        assert (status, said["ok"]) == (503, False)
        assert any("Connection refused" in each for each in said["wrong"])
        assert "sec-ret" not in str(said)
        assert worker.end() == 0


class TestSettings:
    def test_options_go_before_the_environment_and_that_before_the_settings(self, run, here):
        (here / "stamp.toml").write_text('store = "sqlite:///settings.db"')
        environment = {"STAMP_STORE": "sqlite:///environment.db"}
        assert run("shop:shop").until("on sqlite:///settings.db").end() == 0
        assert run("shop:shop", environment=environment).until("on sqlite:///environment.db").end() == 0
        worker = run("shop:shop", "--store", "sqlite:///option.db", environment=environment)
        assert worker.until("on sqlite:///option.db").end() == 0

    @pytest.mark.parametrize(
        ("file", "text"),
        [("stamp.toml", "attempts = 1"), ("pyproject.toml", "[tool.stamp]\nattempts = 1"), (None, "")],
    )
    def test_numbers_come_from_settings_or_the_environment(self, stamp, run, here, file, text):
        if file is not None:
            (here / file).write_text(text)
        stamp("start", "shop:shop", "--input", "-", input=orders("raise"))
        worker = run("shop:shop", environment={} if file else {"STAMP_ATTEMPTS": "1", "STAMP_LOG_FORMAT": "text"})
        assert worker.until("dead letter").end() == 0
        with Store.open(FILE) as store, store.read() as connection:
            [letter] = dead_letters.find(connection)
        assert letter.attempts == 1

    @pytest.mark.parametrize(
        ("text", "environment", "options", "is_told"),
        [
            ("expose_errors = false", {}, [], False),
            ("expose_errors = true", {"STAMP_EXPOSE_ERRORS": "no"}, [], False),
            ("", {"STAMP_EXPOSE_ERRORS": "false"}, ["--expose-errors"], True),
            ("", {}, ["--no-expose-errors"], False),
        ],
    )
    def test_whether_errors_are_told_comes_from_the_same_places(
        self, stamp, run, here, text, environment, options, is_told
    ):
        (here / "stamp.toml").write_text(f"attempts = 1\n{text}")
        stamp("start", "shop:shop", "--input", "-", input=orders("raise"))
        worker = run("shop:shop", *options, environment=environment)
        assert worker.until("dead letter").end() == 0
        with Store.open(FILE) as store, store.read() as connection:
            [letter] = dead_letters.find(connection)
        assert ("no account: " in letter.letter.error_message) is is_told
        assert "ValueError: no account: " in worker.said
        assert ("Traceback" in worker.said) is not is_told

    def test_what_an_exception_says_is_no_line_of_the_log(self, stamp, run, here):
        forged = "2026-01-01T00:00:00.000+00:00 info stamp.run all is well\n::error::pwned\r\x85x"
        order = {"workflow_id": "1", "customer": f"x\n{forged}", "do": "raise"}
        assert stamp("start", "shop:shop", "--json", json.dumps(order)).exit_code == 0
        worker = run("shop:shop", "--attempts", 1, "--no-expose-errors").until("::error::pwned\\r")
        assert worker.end() == 0
        traceback = [line for line in worker.said.split("\n") if line.startswith("  | ")]
        assert any("::error::pwned" in line for line in traceback)
        assert "Traceback" in traceback[0]
        others = [line for line in worker.said.splitlines() if not line.startswith("  | ")]
        assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 \w+ +stamp\.", line) for line in others)
        assert all("stamp.run all is well" not in line[:60] for line in others)

    def test_a_broker_of_the_settings_is_used_and_told_without_its_password(self, run, here, rabbitmq):
        url, name, _ = rabbitmq
        (here / "shop.py").write_text(SHOP.replace('Workflow("shop")', f'Workflow("{name}")'))
        (here / "stamp.toml").write_text(f'broker = "{url}"\nstore = "none"')
        worker = run("shop:shop")
        assert worker.until("working on").end() == 0
        assert "on amqp://guest@" in worker.said
        assert "guest:guest" not in worker.said

    @pytest.mark.parametrize("url", ["filesystem:///proc/1/x", "sqla+sqlite:////proc/x.db"])
    def test_a_broker_that_no_waiting_mends_ends_it_at_once(self, run, here, url):
        worker = run("shop:shop", "--store", "none", "--broker", url)
        assert worker.status() == 2
        assert "cannot be used" in worker.said
        assert "Traceback" not in worker.said


USAGE = [["--concurrency", "0"], ["--lease", "soon"], ["--log-format", "xml"], ["--attempts", "-1"]]

IN_MEMORY = ("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite+pysqlite:///", "sqlite:///:memory:?timeout=3")

REFUSED = [
    (["shop:shop", "--step", "paiment"], "expected a step with a handler (payment, parcel), got 'paiment'"),
    (["shop:shop", "--step", "order"], "expected a step with a handler (payment, parcel), got 'order'"),
    (["shop:nothing"], "expected a Workflow, got nothing of that name"),
    (["nothing:shop"], "expected a module that is installed or in"),
    (["shop:shop", "--broker", "pigeon://ada:sec-ret@h"], "expected the URL of a broker"),
    (["shop:shop", "--store", "mysql://ada:sec-ret@h/x"], "expected the address of a store"),
    (["shop:shop", "--store", "sqlite:////nowhere/x.db"], "unable to open database file"),
    *((["shop:shop", "--store", url], "expected a store that outlives the process") for url in IN_MEMORY),
    (["shop:shop", "--store", "none"], "expected a broker or a store, got neither"),
    (
        ["shop:shop", "--store", "none", "--broker", "redis://:sec-ret@h"],
        "expected a store beside redis://h:6379/0",
    ),
    (
        ["shop:shop", "--health", "nonsense"],
        "--health: expected HOST:PORT, such as 127.0.0.1:8080, got 'nonsense'",
    ),
    (["shop:shop", "--health", "127.0.0.1:99999"], "--health: expected HOST:PORT"),
    (["shop:shop", "--health", "no.host.invalid:80"], "--health: expected an address to answer on"),
    *((["shop:shop", *option], "Invalid value for") for option in USAGE),
]

REFUSE = """
import json, sys
from click.testing import CliRunner
from stamp.cli.main import cli

for arguments in json.load(sys.stdin):
    done = CliRunner().invoke(cli, ["run", *arguments])
    print(json.dumps([done.exit_code, done.stdout, done.stderr]))
"""


class TestRefusals:
    def test_what_cannot_be_run_is_one_line_without_a_password(self, run, here):
        """All in one process, which is not this one: the command takes over signals and the log."""
        given = json.dumps([arguments for arguments, _ in REFUSED])
        done = subprocess.run([sys.executable, "-c", REFUSE], input=given, capture_output=True, text=True, check=True)
        refused = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(refused) == len(REFUSED)
        for (arguments, expected), (status, out, said) in zip(REFUSED, refused, strict=True):
            assert (status, out) == (2, ""), arguments
            assert expected in said
            assert "sec-ret" not in said
            assert len([line for line in said.splitlines() if line.startswith("Error: ")]) == 1, said
            assert "Traceback" not in said

    def test_an_address_that_is_taken_is_told(self, run):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            worker = run("shop:shop", "--health", f"127.0.0.1:{taken.getsockname()[1]}")
            assert worker.status() == 2
        assert "Address already in use" in worker.said

    def test_settings_that_are_none_are_told_with_their_place(self, run, here):
        (here / "stamp.toml").write_text("concurrency = 0")
        worker = run("shop:shop")
        assert worker.status() == 2
        assert "stamp.toml: concurrency: " in worker.said

    def test_a_word_in_place_of_a_truth_value_is_told_with_its_place(self, run, here):
        (here / "stamp.toml").write_text('expose_errors = "no"')
        worker = run("shop:shop")
        assert worker.status() == 2
        assert "stamp.toml: expose_errors: expected true or false, got 'no'" in worker.said


def test_separate_workflow_objects_share_a_worker(stamp, run, here):
    head, _, tail = SHOP.partition('@shop.step(on="Paid"')
    (here / "shop.py").write_text(head)
    models, _, _ = head.partition("shop.starts(")
    (here / "parcels.py").write_text(f'{models}@shop.step(on="Paid"{tail}')
    worker = run("shop:shop", "parcels:shop").until("working on shop.payment, shop.parcel")
    for target in ("shop:shop", "parcels:shop"):
        assert stamp("export", target).exit_code == 0
    assert stamp("start", "shop:shop", "--json", '{"workflow_id": "1", "customer": "Ada"}').exit_code == 0

    def ended() -> bool:
        with Store.open("sqlite:///stamp.db") as store, store.read() as connection:
            return [each.event for each in finals.find(connection)] == ["Sent"]

    wait_for(ended)
    assert worker.end() == 0

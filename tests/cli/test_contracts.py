"""Contracts that services have announced are listed, fetched into a folder, announced from there, and taken out; hostile ones do no harm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, create_model

from stamp import Workflow
from stamp.ripple.example import files
from stamp.runtime import Publisher, Worker
from stamp.runtime import transport as carrying
from stamp.runtime.brokers import transport
from stamp.runtime.directories import BrokerDirectories, Directories, StoreDirectories
from stamp.runtime.topology import Topology
from stamp.runtime.transports.documents import directory_name
from stamp.schema.identity import SchemaId
from stamp.store import directory, finals, inbox, outbox
from stamp.store.backlog import backlog
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.workflow import export
from stamp.workflow.announcement import folder_documents, listener_document

Steps = Mapping[str, Mapping[str, Any]]

ORDER = {"emits": {"Ordered": "Order"}, "writes": {"Order.v1": {"id": "string"}}}
PAYMENT = {
    "on": ["Ordered"],
    "emits": {"Paid": "Payment"},
    "reads": {"order": {"id": "string"}},
    "writes": {"Payment.v1": {"sum": "long"}},
}
WIDER = PAYMENT | {"writes": PAYMENT["writes"] | {"Payment.v2": {"sum": "long", "note": "string"}}}
OTHER = PAYMENT | {"writes": PAYMENT["writes"] | {"Payment.v2": {"sum": "long", "text": "string"}}}
SHOP: Steps = {"order": ORDER, "payment": PAYMENT}
NOW = 1_790_000_000_000_000
GOOD = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}


def lay(folder: Path, steps: Steps, workflow: str = "shop") -> Path:
    for name, text in files(steps, workflow=workflow).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder


def tree(folder: Path) -> dict[str, Any]:
    """Return the files of a folder and what they say."""
    return {
        file.relative_to(folder).as_posix(): json.loads(file.read_text())
        for file in folder.rglob("*")
        if file.is_file()
    }


class Place(NamedTuple):
    """Where documents are, with the option that says so to a command."""

    directories: Directories
    option: tuple[str, str]

    @property
    def against(self) -> str:
        return f"{self.option[0][2:]}:{self.option[1]}"

    def read(self) -> dict[str, str]:
        return {key: each.text for key, each in self.directories.read("shop").items()}

    def write(self, documents: Mapping[str, str]) -> None:
        self.directories.write("shop", documents)

    def announce(self, steps: Steps, tmp_path: Path, workflow: str = "shop") -> None:
        home = lay(tmp_path / "announced", steps, workflow)
        documents = [folder_documents(home / workflow / step).items() for step in steps]
        self.directories.write(workflow, dict(each for step in documents for each in step))


@pytest.fixture(params=["sqlite", "postgresql", "filesystem"])
def place(request: pytest.FixtureRequest, tmp_path: Path, here: Path) -> Iterator[Place]:
    if request.param == "filesystem":
        url = f"filesystem://{tmp_path / 'broker'}"
        yield Place(BrokerDirectories(transport(url)), ("--broker", url))
        return
    url = f"sqlite:///{tmp_path / 'shop.db'}" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    with StoreDirectories(Store.open(url), lambda: NOW) as opened:
        yield Place(opened, ("--store", url))


class TestList:
    def test_what_is_announced_is_told(self, stamp, place, tmp_path):
        place.announce(SHOP, tmp_path)
        place.write(listener_document("payment", ["Ordered"]) | listener_document("gone", None))
        done = stamp("contracts", "list", *place.option, "--workflow", "shop", "--format", "json")
        assert done.exit_code == 0
        found = json.loads(done.stdout)
        assert found["version"] == 1
        [shop] = found["workflows"]
        assert (shop["workflow"], shop["unusable"]) == ("shop", [])
        gone, order, payment = shop["steps"]
        assert (gone["step"], gone["queue"], gone["on"], gone["schemas"]) == ("gone", [], None, [])
        assert (order["queue"], order["on"], order["emits"]) == (None, [], {"Ordered": "Order"})
        assert (payment["queue"], payment["reads"], payment["broken"]) == (["Ordered"], ["order"], None)
        [schema] = payment["schemas"]
        assert (schema["name"], schema["number"], len(schema["id"])) == ("Payment", 1, 32)
        times = {schema["announced_at"], payment["contract_announced_at"], payment["queue_announced_at"]}
        assert times == ({"2026-09-21T14:13:20+00:00"} if place.option[0] == "--store" else {None})

    def test_people_get_a_table(self, stamp, place, tmp_path):
        place.announce(SHOP, tmp_path)
        done = stamp("contracts", "list", *place.option, "--workflow", "shop")
        assert done.exit_code == 0
        assert done.stdout.startswith("shop in ")
        rows = [line.split()[:2] for line in done.stdout.splitlines()]
        assert rows[-2:] == [["order", "Order.v1"], ["payment", "Payment.v1"]]

    def test_a_step_that_was_taken_out_is_told_as_removed(self, stamp, place, tmp_path):
        place.announce(SHOP, tmp_path)
        stamp("contracts", "remove", "payment", "--workflow", "shop", *place.option)
        rows = stamp("contracts", "list", *place.option, "--workflow", "shop").stdout.splitlines()
        assert rows[-1].split()[:3] == ["payment", "removed", "nothing"]
        found = json.loads(stamp("contracts", "list", *place.option, "--workflow", "shop", "--format", "json").stdout)
        assert [each["removed"] for each in found["workflows"][0]["steps"]] == [False, True]

    def test_when_a_worker_was_seen_is_told_apart_from_when_a_contract_was_announced(
        self, stamp, tmp_path, here, monkeypatch
    ):
        monkeypatch.setenv("COLUMNS", "120")
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        home = lay(tmp_path / "announced", {"payment": PAYMENT}) / "shop/payment"
        documents = folder_documents(home) | listener_document("payment", ["Ordered"])
        with Store.open(url) as store, store.begin() as tx:
            directory.write(tx, "shop", documents, now=NOW)
            directory.touch(tx, "shop", ["listener/payment"], now=NOW + 3_600_000_000)
        row = stamp("contracts", "list", "--store", url).stdout.splitlines()[-1]
        assert row.split()[-4:] == ["2026-09-21", "14:13:20", "2026-09-21", "15:13:20"]

    def test_all_workflows_of_a_store_are_told_and_at_a_broker_those_of_the_folder(self, stamp, place, tmp_path, here):
        for workflow in ("shop", "other"):
            place.announce({"order": ORDER}, tmp_path, workflow)
            lay(here / "schemas", {"order": ORDER}, workflow)
        found = json.loads(stamp("contracts", "list", *place.option, "--format", "json").stdout)
        assert [each["workflow"] for each in found["workflows"]] == ["other", "shop"]

    def test_nothing_is_told_as_nothing(self, stamp, place):
        done = stamp("contracts", "list", *place.option, "--workflow", "shop")
        assert (done.exit_code, done.stdout.startswith("nothing is announced in ")) == (0, True)

    def test_a_broker_without_a_folder_needs_the_name_of_the_workflow(self, stamp, tmp_path, here):
        done = stamp("contracts", "list", "--broker", f"filesystem://{tmp_path / 'broker'}")
        assert done.exit_code == 2
        assert "expected --workflow" in done.stderr

    def test_what_nobody_can_use_is_told_with_escapes(self, stamp, place):
        hostile = {
            f"schema/{SchemaId.of(GOOD)}/a/A.v1.avsc": json.dumps(GOOD | {"fields": []}),
            "contract/a/step.json": json.dumps({"\x1b[2J": 1}),
            "contract/b/reads/c.avsc": json.dumps(GOOD),
        }
        place.write(hostile)
        done = stamp("contracts", "list", *place.option, "--workflow", "shop")
        assert done.exit_code == 1
        assert "\x1b[2J" not in done.stdout
        for said in ("got the key", "this SchemaId", "b: its contract cannot be used", "announced in part"):
            assert said in " ".join(done.stdout.split())
        found = json.loads(stamp("contracts", "list", *place.option, "--workflow", "shop", "--format", "json").stdout)
        assert len(found["workflows"][0]["unusable"]) == 2

    def test_of_a_hostile_directory_some_is_shown_and_the_rest_counted(self, stamp, place):
        names = [f"E{number:05}" for number in range(50_000)]
        spoiled = {f"listener/evil{number:03}": json.dumps(names) for number in range(25)}
        place.write({"listener/much": json.dumps(names[:1000]), **spoiled})
        done = stamp("contracts", "list", *place.option, "--workflow", "shop")
        said = " ".join(done.stdout.split())
        assert done.exit_code == 1
        assert len(done.stdout) < 10_000
        assert "and 980 more" in said
        assert said.count("expected a JSON list of at most 1,000 events") == 20
        assert "... and 5 more" in said


class TestPull:
    def pull(self, stamp, place, *arguments):
        return stamp("contracts", "pull", *place.option, "--workflow", "shop", *arguments)

    def test_into_an_empty_folder_and_nothing_the_second_time(self, stamp, place, tmp_path, here):
        place.announce(SHOP, tmp_path)
        done = self.pull(stamp, place)
        assert done.exit_code == 0
        assert sorted(done.stdout.splitlines()) == sorted(
            f"created schemas/{name}" for name in files(SHOP, workflow="shop")
        )
        assert tree(here / "schemas") == tree(tmp_path / "announced")
        assert self.pull(stamp, place).stdout == "nothing to change\n"
        assert stamp("check", "schemas").exit_code == 0

    def test_a_version_that_is_missing_comes_and_what_is_said_otherwise_stays(self, stamp, place, tmp_path, here):
        place.announce({"payment": WIDER | {"on": ["Other"]}}, tmp_path)
        lay(here / "schemas", SHOP)
        done = self.pull(stamp, place)
        assert (done.exit_code, done.stdout) == (0, "created schemas/shop/payment/Payment.v2.avsc\n")
        assert "schemas/shop/payment: stays as it is" in done.stderr
        assert tree(here / "schemas")["shop/payment/step.json"]["on"] == ["Ordered"]

    @pytest.mark.parametrize("option", [("--step", "payment"), ("--except", "order")])
    def test_whose_contracts_to_take_can_be_said(self, stamp, place, tmp_path, here, option):
        changed = PAYMENT | {"on": ["Other"], "reads": {"stock": {"n": "int"}}}
        place.announce({"payment": changed, "order": ORDER | {"emits": {}}}, tmp_path)
        lay(here / "schemas", SHOP)
        done = self.pull(stamp, place, *option)
        assert done.exit_code == 0
        assert set(done.stdout.splitlines()) == {
            "updated schemas/shop/payment/step.json",
            "created schemas/shop/payment/reads/stock.avsc",
            "removed schemas/shop/payment/reads/order.avsc",
        }
        expected = tree(tmp_path / "announced") | {
            "shop/order/step.json": tree(here / "schemas")["shop/order/step.json"]
        }
        assert tree(here / "schemas") == expected

    def test_a_folder_that_is_ahead_keeps_what_it_says(self, stamp, place, tmp_path, here):
        place.announce({"payment": PAYMENT | {"on": ["Other"]}}, tmp_path)
        lay(here / "schemas", {"payment": WIDER})
        before = tree(here / "schemas")
        done = self.pull(stamp, place, "--step", "payment")
        assert (done.exit_code, done.stdout) == (0, "nothing to change\n")
        assert "nobody has announced Payment.v2 yet" in done.stderr
        assert tree(here / "schemas") == before

    def test_a_released_file_never_changes_and_both_schemas_are_named(self, stamp, place, tmp_path, here):
        place.announce({"order": ORDER, "payment": WIDER}, tmp_path)
        lay(here / "schemas", {"payment": OTHER})
        before = tree(here / "schemas")
        done = self.pull(stamp, place, "--step", "payment", "--step", "order")
        assert done.exit_code == 2
        for folder in (here / "schemas", tmp_path / "announced"):
            assert str(SchemaId.of(tree(folder)["shop/payment/Payment.v2.avsc"])) in done.stderr
        assert tree(here / "schemas") == before  # of the other step, too

    def test_steps_that_nobody_has_announced_stay(self, stamp, place, tmp_path, here):
        place.announce({"order": ORDER}, tmp_path)
        lay(here / "schemas", SHOP)
        before = tree(here / "schemas")
        done = self.pull(stamp, place, "--step", "order", "--step", "payment")
        assert done.exit_code == 1
        assert "no contract of payment that can be used is announced" in done.stderr
        assert tree(here / "schemas") == before

    def test_hostile_documents_write_nothing_elsewhere_and_spoil_nothing(self, stamp, place, tmp_path, here):
        place.announce({"order": ORDER}, tmp_path)
        escape = json.dumps({"workflow": "shop", "step": "..", "on": [], "emits": {}})
        hostile = {
            "contract/../step.json": escape,
            "contract/order/reads/../../../../x.avsc": json.dumps(GOOD),
            f"schema/{SchemaId.of(GOOD)}/../A.v1.avsc": json.dumps(GOOD),
            f"schema/{SchemaId.of(GOOD)}/order/Order.v9.avsc": json.dumps(GOOD),
            f"schema/{SchemaId.of(GOOD)}/evil/A.v1.avsc": json.dumps(GOOD),
            "contract/broken/step.json": json.dumps(
                {"workflow": "shop", "step": "broken", "on": [], "emits": {"Done": "None"}}
            ),
        }
        place.write(hostile)
        around = {file for file in here.rglob("*") if "broker" not in file.parts}
        done = self.pull(stamp, place)
        assert done.exit_code == 1
        assert {file for file in here.rglob("*") if "broker" not in file.parts} - around == {
            here / "schemas",
            *(
                here / "schemas" / name
                for name in ("shop", "shop/order", "shop/order/step.json", "shop/order/Order.v1.avsc")
            ),
        }
        assert "schemas/shop/broken: not taken" in done.stderr
        assert "contract/../step.json: passed over" in done.stderr

    def test_a_workflow_in_a_store_with_the_name_of_a_path_is_none(self, stamp, tmp_path, here):
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        with Store.open(url) as store:
            StoreDirectories(store, lambda: NOW).write("../outside", {"contract/a/step.json": "{}"})
        assert stamp("contracts", "pull", "--store", url).stdout == "nothing to change\n"
        assert stamp("contracts", "pull", "--store", url, "--workflow", "../outside").exit_code == 2
        assert not (here.parent / "outside").exists()


class TestPush:
    def push(self, stamp, place, *arguments):
        return stamp("contracts", "push", *place.option, *arguments)

    def test_only_what_is_missing_or_different_is_written(self, stamp, place, tmp_path, here):
        lay(here / "schemas", SHOP)
        assert self.push(stamp, place).stdout.splitlines()[-1].startswith("5 documents written to ")
        assert self.push(stamp, place).stdout.startswith("0 documents written to ")
        lay(here / "schemas", SHOP | {"payment": WIDER | {"on": ["Ordered", "Asked"]}})
        lines = self.push(stamp, place, "--step", "payment").stdout.splitlines()
        assert lines[-1].startswith("2 documents written to ")
        assert "announced shop: contract/payment/step.json" in lines
        assert any(line.endswith("/payment/Payment.v2.avsc") for line in lines)
        assert stamp("check", "schemas", "--against", place.against).exit_code == 0

    def test_a_folder_that_is_behind_does_not_speak_for_the_step(self, stamp, place, tmp_path, here):
        place.announce({"payment": WIDER}, tmp_path)
        lay(here / "schemas", {"payment": PAYMENT | {"on": ["Old"]}})
        before = place.read()
        done = self.push(stamp, place)
        assert (done.exit_code, "stamp contracts pull fetches it" in done.stderr) == (1, True)
        assert place.read() == before

    def test_a_wrong_schema_under_an_id_is_mended(self, stamp, place, here):
        lay(here / "schemas", {"order": ORDER})
        self.push(stamp, place)
        [key] = [key for key in place.read() if key.startswith("schema/")]
        place.write({key: json.dumps(GOOD)})
        assert self.push(stamp, place).stdout.startswith(f"announced shop: {key}\n1 document written to ")

    @pytest.mark.parametrize("option", [("--step", "nobody"), ("--workflow", "other")])
    def test_what_is_named_must_be_there(self, stamp, tmp_path, here, option):
        lay(here / "schemas", SHOP)
        done = stamp("contracts", "push", *option)
        assert (done.exit_code, f"got '{option[1]}'" in done.stderr) == (2, True)
        assert not (here / "stamp.db").exists()

    def test_a_contract_that_is_not_in_order_is_not_announced(self, stamp, here):
        lay(here / "schemas", {"order": ORDER | {"writes": {}}})
        assert stamp("contracts", "push").exit_code == 2


def event(number: int, workflow: str = "shop") -> Message:
    return Message(workflow, "1", "Ordered", bytes([number]) * 16, b"body", {})


class TestRemove:
    def remove(self, stamp, option, *arguments):
        return stamp("contracts", "remove", "payment", "--workflow", "shop", *option, *arguments)

    def test_a_step_without_messages_goes_and_its_schemas_stay(self, stamp, place, tmp_path):
        place.announce(SHOP, tmp_path)
        place.write(listener_document("payment", ["Ordered"]))
        done = self.remove(stamp, place.option)
        assert done.exit_code == 0
        found = place.read()
        assert (found["listener/payment"], found["contract/payment/step.json"]) == ("null", "null")
        assert sum(key.startswith("schema/") for key in found) == 2
        assert self.remove(stamp, place.option).exit_code == 1

    def test_a_name_that_is_misspelt_leaves_nothing(self, stamp, place, tmp_path):
        place.announce({"order": ORDER}, tmp_path)
        before = place.read()
        done = self.remove(stamp, place.option, "--discard")
        assert (done.exit_code, "it knows order" in done.stderr) == (1, True)
        assert place.read() == before

    def test_messages_in_a_store_are_given_up_only_when_that_is_said(self, stamp, database):
        with Store.open(database) as store:
            StoreDirectories(store, lambda: NOW).write("shop", listener_document("payment", ["Ordered"]))
            with store.begin() as tx:
                inbox.put(tx, [("shop.payment", event(1)), ("shop.other", event(1))], now=NOW)
                outbox.put(tx, [(event(number), "shop.payment") for number in (1, 2)], now=NOW, resend_at=NOW)
            option = ("--store", database)
            refused = self.remove(stamp, option)
            assert (refused.exit_code, "2 messages wait for shop.payment" in refused.stderr) == (2, True)
            done = self.remove(stamp, option, "--discard")
            assert (done.exit_code, "; 2 messages that waited" in done.stderr) == (0, True)
            with store.read() as connection:
                assert list(backlog(connection)) == ["shop.other"]

    def test_a_step_that_is_at_work_is_not_taken_out(self, stamp, database):
        with Store.open(database) as store, store.begin() as tx:
            inbox.put(tx, [("shop.payment", event(1))], now=1)
            inbox.take(tx, ["shop.payment"], limit=1, now=1, lease=2**61)
        done = self.remove(stamp, ("--store", database), "--discard")
        assert (done.exit_code, "stop its workers" in done.stderr) == (2, True)

    def test_messages_at_a_broker_are_given_up_only_when_that_is_said(self, stamp, tmp_path, here):
        url = f"filesystem://{tmp_path / 'broker'}"
        broker, shop = transport(url), Topology.of("shop", {"payment": ["Ordered"]})
        BrokerDirectories(broker).write("shop", listener_document("payment", ["Ordered"]))
        sender = broker.sender(shop)
        sender.post([carrying.Parcel(event(1), ("shop.payment",))])
        assert sender.confirm(5) == [None]
        assert self.remove(stamp, ("--broker", url)).exit_code == 2
        assert BrokerDirectories(broker).read("shop")["listener/payment"].text == '["Ordered"]'
        done = self.remove(stamp, ("--broker", url), "--discard")
        assert (done.exit_code, "; 1 message that waited" in done.stderr) == (0, True)
        sender.close()

    def test_store_and_broker_together(self, stamp, tmp_path, here):
        store, broker = f"sqlite:///{tmp_path / 'shop.db'}", f"filesystem://{tmp_path / 'broker'}"
        with Store.open(store) as opened:
            for each in (StoreDirectories(opened, lambda: NOW), BrokerDirectories(transport(broker))):
                each.write("shop", listener_document("payment", ["Ordered"]))
            done = self.remove(stamp, ("--store", store, "--broker", broker))
            assert (done.exit_code, done.stderr.count("is gone from")) == (0, 2)


class TestAgainst:
    """What is announced is a baseline of `stamp check` and `stamp plan`."""

    @pytest.mark.parametrize("command", ["check", "plan"])
    def test_a_change_is_held_against_what_is_announced(self, stamp, place, tmp_path, here, command):
        place.announce(SHOP, tmp_path)
        lay(here / "schemas", SHOP)
        assert stamp(command, "--against", place.against).exit_code == 0
        narrower = PAYMENT | {"reads": {"order": {"id": "long"}}}
        lay(here / "schemas", SHOP | {"payment": narrower})
        assert stamp(command, "--against", place.against).exit_code == 1

    def test_the_baseline_is_named_and_files_of_it_are_no_places_here(self, stamp, place, tmp_path, here):
        place.announce({"order": ORDER, "payment": WIDER}, tmp_path)
        lay(here / "schemas", {"order": ORDER, "payment": OTHER})
        done = stamp("check", "--against", place.against, "--format", "json")
        found = json.loads(done.stdout)
        kind, _, _ = place.against.partition(":")
        assert found["baselines"] == [f"{kind}:{place.directories.address}"]
        assert f"{kind}:/shop/payment/Payment.v2.avsc" in done.stdout

    def test_other_workflows_of_the_place_do_not_count(self, stamp, place, tmp_path, here):
        place.announce(SHOP, tmp_path)
        place.announce({"order": ORDER}, tmp_path, "other")
        lay(here / "schemas", SHOP)
        assert stamp("check", "--against", place.against).exit_code == 0

    def test_a_step_that_was_taken_out_does_not_run(self, stamp, place, tmp_path, here):
        place.announce(SHOP, tmp_path)
        stamp("contracts", "remove", "payment", "--workflow", "shop", *place.option)
        lay(here / "schemas", {"order": ORDER | {"ends": ["Ordered"]}})
        done = stamp("plan", "--against", place.against, "--format", "json")
        assert [phase["removed"] for each in json.loads(done.stdout)["rollouts"] for phase in each["phases"]] == [[]]

    def test_nothing_announced_is_no_baseline(self, stamp, place, here):
        lay(here / "schemas", SHOP)
        done = stamp("check", "--against", place.against)
        assert (done.exit_code, "expected contracts that services have announced" in done.stderr) == (2, True)

    def test_a_contract_that_cannot_be_used_is_no_baseline(self, stamp, place, tmp_path, here):
        place.announce(SHOP, tmp_path)
        place.write({"contract/payment/step.json": "{"})
        lay(here / "schemas", SHOP)
        done = stamp("check", "--against", place.against)
        assert (done.exit_code, "expected a contract of payment that can be used" in done.stderr) == (2, True)
        assert "that cannot: contract/payment/step.json: line 1: expected JSON" in " ".join(done.stderr.split())

    def test_without_a_url_it_is_the_store_that_is_set(self, stamp, tmp_path, here, monkeypatch):
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        monkeypatch.setenv("STAMP_STORE", url)
        lay(here / "schemas", SHOP)
        stamp("contracts", "push")
        done = stamp("check", "--against", "store:")
        assert (done.exit_code, f"against store:{url}" in " ".join(done.stdout.split())) == (0, True)

    @pytest.mark.parametrize(
        "against",
        [
            "store:postgresql://ada:secret@127.0.0.1:1/shop",
            "store:ada:secret@127.0.0.1",
            "store:mysql://ada:secret@127.0.0.1/shop",
            "broker:amqp://ada:secret@127.0.0.1:1",
            "broker:sqla+postgresql://ada:secret@127.0.0.1:1/shop",
            "broker:ada:secret@127.0.0.1",
            "postgresql://ada:secret@127.0.0.1/shop",
            "brocker:amqp://ada:secret@127.0.0.1/shop",
        ],
    )
    def test_passwords_are_in_no_message(self, stamp, here, against):
        lay(here / "schemas", SHOP)
        done = stamp("check", "--against", against)
        assert done.exit_code == 2
        assert "secret" not in done.output


class Order(BaseModel):
    customer: str


class Parcel(BaseModel):
    number: int


def shop(folder: Path) -> Workflow:
    workflow = Workflow("shop", contracts=folder)
    workflow.starts("order", Order, emits="Ordered")

    @workflow.step(on="Ordered", emits="Sent")
    def parcel(order: Order) -> Parcel:
        return Parcel(number=len(order.customer))

    return workflow


def worked(workflow: Workflow, store: Store, workflow_id: str) -> None:
    """Have a run done by a worker, once it has announced itself."""
    with Worker(workflow, store=store) as worker, Publisher(workflow, store=store) as publisher:
        wait_for(worker, lambda: listens(store))
        publisher.publish(workflow.start(Order(customer="Ada"), workflow_id=workflow_id))
        wait_for(worker, lambda: has_ended(store, workflow_id))


def wait_for(worker: Worker, is_so: Callable[[], bool]) -> None:
    until = monotonic() + 20
    while not is_so():
        assert monotonic() < until
        worker.wait(0.02)


def listens(store: Store) -> bool:
    with store.read() as connection:
        return directory.texts(connection, "shop", prefix="listener/parcel") == {"listener/parcel": '["Ordered"]'}


def has_ended(store: Store, workflow_id: str) -> bool:
    with store.read() as connection:
        return any(finals.find(connection, workflow_id=workflow_id))


def test_what_workers_and_publishers_announce(stamp, tmp_path, here):
    workflow, url = shop(here / "schemas"), f"sqlite:///{tmp_path / 'shop.db'}"
    export(workflow)
    with Store.open(url) as store:
        worked(workflow, store, "1")
        listed = json.loads(stamp("contracts", "list", "--store", url, "--format", "json").stdout)
        steps = {each["step"]: each for each in listed["workflows"][0]["steps"]}
        assert {name: (each["queue"], each["on"]) for name, each in steps.items()} == {
            "order": (None, []),
            "parcel": (["Ordered"], ["Ordered"]),
        }
        assert stamp("contracts", "pull", "--store", url, "--out", "pulled").exit_code == 0
        pulled = tree(here / "pulled")
        assert pulled == {name: each for name, each in tree(here / "schemas").items() if name.startswith("shop/")}
        assert stamp("contracts", "push", "--store", url).stdout.startswith("0 documents written")
        assert stamp("check", "--against", f"store:{url}").exit_code == 0
        assert stamp("contracts", "remove", "parcel", "--workflow", "shop", "--store", url).exit_code == 0
        worked(workflow, store, "2")  # it announces itself again
        again = json.loads(stamp("contracts", "list", "--store", url, "--format", "json").stdout)
        assert [each["queue"] for each in again["workflows"][0]["steps"]] == [None, ["Ordered"]]


def test_all_of_it_at_rabbitmq(stamp, rabbitmq, here):
    url, name, channel = rabbitmq
    option = ("--broker", url, "--workflow", name)
    lay(here / "schemas", SHOP, name)
    try:
        assert stamp("contracts", "push", *option).stdout.splitlines()[-1].startswith("5 documents written to amqp://")
        assert stamp("contracts", "push", *option).stdout.startswith("0 documents written to amqp://")
        assert stamp("contracts", "pull", *option, "--out", "pulled").exit_code == 0
        assert tree(here / "pulled") == tree(here / "schemas")
        assert stamp("check", "--against", f"broker:{url}").exit_code == 0
        sender = transport(url).sender(Topology.of(name, {"payment": ["Ordered"]}))
        sender.post([carrying.Parcel(event(1, name), (f"{name}.payment",))])
        assert sender.confirm(5) == [None]
        sender.close()
        BrokerDirectories(transport(url)).write(name, listener_document("payment", ["Ordered"]))
        examined = stamp("doctor", "--broker", url, "--store", "none", "--format", "json", target(here, name))
        assert f"stamp contracts remove payment --workflow {name} --broker ... --discard" in examined.stdout
        assert stamp("contracts", "remove", "payment", *option).exit_code == 2
        assert stamp("contracts", "remove", "payment", *option, "--discard").exit_code == 0
        listed = json.loads(stamp("contracts", "list", *option, "--format", "json").stdout)
        assert [step["queue"] for step in listed["workflows"][0]["steps"]] == [None, []]
    finally:
        channel.queue_delete(directory_name(name))


def target(here: Path, workflow: str) -> str:
    """Return `module:workflow` of a service that knows the workflow by its contracts alone."""
    (here / "watching.py").write_text(f"from stamp import Workflow\nwatching = Workflow({workflow!r})\n")
    return "watching:watching"


def published(store: Store, folder: Path, workflow_id: str, **fields: Any) -> Workflow:
    """Have a publisher announce and use a model with these fields."""
    model = create_model("Order", **{name: (kind, ...) for name, kind in fields.items()})
    workflow = Workflow("shop", contracts=folder)
    workflow.starts("order", model, emits="Ordered")

    @workflow.step(on="Ordered")
    def parcel() -> None: ...

    with Publisher(workflow, store=store) as publisher:
        first = model(**{name: kind() for name, kind in fields.items()})
        publisher.publish(workflow.start(first, workflow_id=workflow_id))
    return workflow


def test_services_that_call_different_schemas_the_same_number(stamp, tmp_path, here):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    option, a, b = ("--store", url), here / "a", here / "b"
    with Store.open(url) as store:
        published(store, a, "1", n=int)
        other = published(store, b, "2", n=int, m=str)
        published(store, a, "3", n=int)
    listed = json.loads(stamp("contracts", "list", *option, "--format", "json").stdout)
    assert [each["number"] for each in listed["workflows"][0]["steps"][0]["schemas"]] == [1, 2]

    assert stamp("contracts", "pull", *option, "--out", "a").exit_code == 0
    pulled = tree(a)
    assert [len(pulled[f"shop/order/Order.v{number}.avsc"]["fields"]) for number in (1, 2)] == [1, 2]

    export(other)  # the second service releases its version as the first one
    before = tree(b)
    done = stamp("contracts", "pull", *option, "--out", "b")
    assert (done.exit_code, "announced as Order.v1 of order" in done.stderr, tree(b)) == (2, True, before)

    (b / "shop/order/Order.v1.avsc").unlink()  # as that tells
    assert stamp("contracts", "pull", *option, "--out", "b").exit_code == 0
    export(other.with_contracts(b))
    assert sorted(file.name for file in (b / "shop/order").glob("*.avsc")) == ["Order.v1.avsc", "Order.v2.avsc"]
    assert "version-changed" not in stamp("check", "b", "--against", f"store:{url}").stdout


def test_a_step_that_was_taken_out_keeps_the_numbers_of_its_schemas(stamp, place, tmp_path, here):
    place.announce(SHOP, tmp_path)
    stamp("contracts", "remove", "payment", "--workflow", "shop", *place.option)
    lay(here / "schemas", {"payment": PAYMENT | {"writes": {"Payment.v1": {"sum": "string"}}}})
    before = place.read()
    done = stamp("contracts", "push", *place.option)
    assert (done.exit_code, "announced as Payment.v1" in done.stderr) == (2, True)
    assert place.read() == before

"""What is special about Amazon SQS, as far as moto shows it: names, texts, groups, batches, and messages that are held.

moto takes a minute to install: `pip install '.[dev-sqs]'`. What needs no server runs without it.
"""

from __future__ import annotations

import base64
import os
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.errors import DeliveryError, InputError, UnroutableError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Arrival, Parcel, Receiver, Sender
from stamp.store.message import Message

boto3 = pytest.importorskip("boto3")

from stamp.runtime.transports.documents import directory_name  # noqa: E402 - the same
from stamp.runtime.transports.sqs import SQS, entry, snapshot  # noqa: E402 - only with the library
from stamp.runtime.transports.sqs.address import Address  # noqa: E402 - the same
from stamp.runtime.transports.sqs.directory import SQSDirectory  # noqa: E402 - the same
from stamp.runtime.transports.sqs.names import name_of  # noqa: E402 - the same

from .transports import sqs_server  # noqa: E402 - the same

PATIENCE = 30.0
MESSAGE = Message("ticket", "4729", "Paid", bytes(range(16)), b"\xc3\x01\x00", {"ce-id": "1"})


class Stage:
    """A workflow of two steps on the server that all tests share."""

    def __init__(self, stack: ExitStack, name: str) -> None:
        self._stack = stack
        self.topology = Topology.of(name, {"billing": ["Paid"], "search": ["Paid", "Found"]})
        self.billing, self.search = (queue.name for queue in self.topology.queues)

    def transport(self, options: str = "") -> SQS:
        return SQS(f"sqs://key:secret@eu-central-1?endpoint=http://127.0.0.1:{sqs_server.port()}&timeout=10{options}")

    def sender(self, options: str = "") -> Sender:
        sender = self.transport(options).sender(self.topology)
        self._stack.callback(sender.close)
        return sender

    def receiver(self, prefetch: int = 100, options: str = "") -> Receiver:
        receiver = self.transport(options).receiver(self.topology, [self.billing], prefetch=prefetch)
        self._stack.callback(receiver.close)
        return receiver

    def parcel(self, run: str = "4729", body: bytes = b"body", **headers: str) -> Parcel:
        message = Message(self.topology.exchange, run, "Paid", uuid.uuid4().bytes, body, headers)
        return Parcel(message, (self.billing,))

    def properties(self, queue: str) -> dict[str, str]:
        told = sqs_server.client().get_queue_attributes(QueueUrl=sqs_server.url(name_of(queue)), AttributeNames=["All"])
        return dict(told["Attributes"])


@pytest.fixture
def stage(name) -> Iterator[Stage]:
    pytest.importorskip("moto", reason="no moto; pip install '.[dev-sqs]'")
    with ExitStack() as stack:
        yield Stage(stack, name)


def send(sender: Sender, *parcels: Parcel) -> Sequence[DeliveryError | None]:
    sender.post(parcels)
    return sender.confirm(PATIENCE)


def collect(receiver: Receiver, count: int, within: float = PATIENCE) -> list[Arrival]:
    taken: list[Arrival] = []
    end = time.monotonic() + within
    while len(taken) < count and time.monotonic() < end:
        taken += receiver.receive(0.1)
    return taken


# -- queues


def test_queues_are_fifo_keep_as_long_as_they_can_and_have_dead_letters(stage):
    stage.sender()
    told = stage.properties(stage.billing)
    assert told["FifoQueue"] == "true"
    assert told["MessageRetentionPeriod"] == "1209600"
    assert told["VisibilityTimeout"] == "30"
    dead = stage.properties(f"{stage.billing}.dead")["QueueArn"]
    assert dead in told["RedrivePolicy"]
    assert "RedrivePolicy" not in stage.properties(f"{stage.billing}.dead")


def test_a_prefix_keeps_stages_apart(stage):
    assert send(stage.sender("&prefix=one"), stage.parcel()) == [None]
    assert collect(stage.receiver(options="&prefix=two"), 1, within=1) == []
    assert len(collect(stage.receiver(options="&prefix=one"), 1)) == 1


def test_a_queue_that_was_deleted_is_told_and_made_again_by_whoever_connects(stage):
    sender = stage.sender()
    sqs_server.client().delete_queue(QueueUrl=sqs_server.url(name_of(stage.billing)))
    for _ in range(2):
        (verdict,) = send(sender, stage.parcel())
        assert isinstance(verdict, UnroutableError)
        assert "connect again" in str(verdict)
    assert send(stage.sender(), stage.parcel()) == [None]
    assert send(sender, stage.parcel()) == [None]


@pytest.mark.parametrize(
    ("queue", "name"),
    [
        ("ticket.billing", "ticket--billing.fifo"),
        ("ticket.billing.dead", "ticket--billing--dead.fifo"),
        ("my-ticket.bill_ing", "my-ticket--bill_ing.fifo"),
    ],
)
def test_a_name_has_no_dots(queue, name):
    assert name_of(queue) == name


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        ("a--b.c", "without '--'"),
        ("a-.b", "at their ends"),
        ("a.ä", "letters, digits"),
        ("a" * 40 + "." + "b" * 34, "at most 80 characters"),
    ],
)
def test_a_name_that_amazon_does_not_have_or_another_queue_would_have_is_refused(queue, said):
    with pytest.raises(InputError, match=said):
        name_of(queue)


# -- messages


def test_a_run_is_a_group_and_an_event_an_id_by_which_a_repeat_is_dropped(stage):
    sender, parcel = stage.sender(), stage.parcel("run 4729")
    assert send(sender, parcel, parcel._replace(again=True)) == [None, None]
    arrivals = collect(stage.receiver(), 2, within=2)
    assert len(arrivals) == 1
    told = arrivals[0].tag["Attributes"]
    assert told["MessageDeduplicationId"] == parcel.message.event_id.hex()
    assert 0 < len(told["MessageGroupId"]) <= 128


@pytest.mark.parametrize("run", ["4729", "a b", "ä", "x" * 129])
def test_every_run_has_a_group_of_its_own(run):
    group = entry.written(MESSAGE._replace(workflow_id=run))["MessageGroupId"]
    assert entry.GROUP.fullmatch(group)
    assert group != entry.written(MESSAGE._replace(workflow_id=f"{run}0"))["MessageGroupId"]


def test_what_belongs_to_no_run_waits_for_nothing():
    written = entry.written(MESSAGE._replace(workflow_id=""))
    assert written["MessageGroupId"] == written["MessageDeduplicationId"]


def received(text: str, **attributes: Any) -> dict[str, Any]:
    return {"Body": text, "ReceiptHandle": "", "MessageAttributes": attributes}


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


FOREIGN = [
    (received("hello"), b"hello", {}),
    (
        received("hello", a=text("1"), b={"DataType": "Binary", "BinaryValue": b"\xff"}),
        b"hello",
        {"a": "1", "b": "/w=="},
    ),
    (received("?", **{"content-transfer-encoding": text("base64")}), b"?", {}),
    (received("hello", **{"stamp-headers": text("[1]"), "a": text("2")}), b"hello", {"a": "2"}),
    (received("hello", **{"stamp-headers": text("[" * 100_000)}), b"hello", {}),
]


@pytest.mark.parametrize(("message", "body", "headers"), FOREIGN, ids=["text", "attributes", "base64", "list", "deep"])
def test_what_somebody_else_sent_arrives_as_it_is(message, body, headers):
    arrival = entry.arrival("ticket.billing", message)
    assert (arrival.body, arrival.headers) == (body, headers)
    letter = entry.letter(arrival, "no envelope")
    assert letter["MessageBody"] == message["Body"]
    again = entry.arrival("ticket.billing", {**letter, "Body": letter["MessageBody"]})
    assert (again.body, again.headers) == (body, {**headers, "stamp-reason": "no envelope"})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (entry.MOST - 3_000, {"stamp-left-out": "all headers: no room for them", "stamp-reason": "no envelope"}),
        (entry.MOST - 10, {}),
    ],
)
def test_a_message_without_room_for_a_reason_is_a_dead_letter_all_the_same(body, told):
    """SQS would refuse the letter, and give the message out again, a hundred times."""
    message = received("x" * body, a=text("y" * 2_900), b=text("z" * 90)) if told else received("x" * body)
    letter = entry.letter(entry.arrival("ticket.billing", message), "no envelope")
    assert entry.size(letter) <= entry.MOST
    assert entry.arrival("ticket.billing", {**letter, "Body": letter["MessageBody"]}).headers == told


def test_headers_have_room_beside_the_largest_body_or_are_refused(stage):
    largest = stage.transport().promises.largest
    verdicts = send(
        stage.sender(),
        stage.parcel(body=bytes(largest), header="x" * 60_000),
        stage.parcel(body=bytes(largest), header="x" * 70_000),
        stage.parcel(),
    )
    assert [type(each) for each in verdicts] == [type(None), DeliveryError, type(None)]
    assert "with its headers" in str(verdicts[1])


def test_batches_are_as_large_as_they_may_be(stage):
    sender = stage.sender()
    parcels = [stage.parcel(body=bytes(200_000 if number % 2 else 10)) for number in range(25)]
    assert send(sender, *parcels) == [None] * 25


# -- messages that are held


def test_what_is_held_is_nobody_elses_however_long_it_takes(stage):
    assert send(stage.sender(), stage.parcel()) == [None]
    holder, other = (stage.receiver(options="&visibility=3") for _ in range(2))
    held: list[Arrival] = []
    end = time.monotonic() + 8
    while time.monotonic() < end:
        held += holder.receive(0.1) + other.receive(0.1)
    assert len(held) == 1


def test_who_falls_silent_loses_what_it_holds(stage):
    assert send(stage.sender(), stage.parcel()) == [None]
    silent = stage.receiver(prefetch=1, options="&visibility=2")
    arrivals = collect(silent, 1)
    other = stage.receiver(options="&visibility=2")
    (again,) = collect(other, 1)
    assert again.deliveries == 2
    silent.acknowledge(arrivals)
    other.acknowledge([again])


def test_what_is_not_renewed_in_time_and_nobody_else_took_does_not_arrive_again(stage):
    assert send(stage.sender(), stage.parcel(run="1"), stage.parcel(run="2")) == [None, None]
    slow = stage.receiver(options="&visibility=2")
    first, second = collect(slow, 2)
    slow._extends_at = time.monotonic() + 60
    handles = {each.handle for each in slow._held.values()}
    while handles & {each.handle for each in slow._held.values()}:  # until SQS has given out both again
        assert not slow.receive(0.05)
    slow.acknowledge([first])
    slow.bury(second, "a reason")
    counts = stage.properties(stage.billing)
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


def test_what_arrives_when_the_receiver_is_closed_already_is_given_back(stage):
    receiver = stage.receiver(options="&visibility=600")
    receiver.receive(0)
    receiver.close()
    assert send(stage.sender(), stage.parcel()) == [None]
    assert len(collect(stage.receiver(), 1)) == 1


def test_a_dead_letter_that_cannot_be_written_leaves_the_message_where_it_is(stage):
    assert send(stage.sender(), stage.parcel()) == [None]
    receiver = stage.receiver()
    (arrival,) = collect(receiver, 1)
    sqs_server.client().delete_queue(QueueUrl=sqs_server.url(name_of(f"{stage.billing}.dead")))
    with pytest.raises(UnroutableError):
        receiver.bury(arrival, "no envelope")
    receiver.close()
    assert len(collect(stage.receiver(), 1)) == 1


def test_nobody_there(stage):
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1"):
        SQS("sqs://key:secret@eu-central-1?endpoint=http://127.0.0.1:1&timeout=1").sender(stage.topology)


# -- addresses


def test_an_address_has_what_is_in_the_url():
    address = Address.parse(
        "sqs://key:se%2Fcret@eu-central-1?visibility=5&timeout=3&prefix=orders&endpoint=http://localhost:4566"
    )
    assert str(address) == "sqs://eu-central-1?endpoint=http://localhost:4566"
    assert (address.key, address.secret, address.prefix) == ("key", "se/cret", "orders")
    assert "se/cret" not in repr(address)
    assert SQS("sqs://eu-central-1?visibility=5").promises.redelivers == 10


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqs://key:secret@region:80", "expected a URL such as"),
        ("sqs://key:secret@region/queue", "expected a URL such as"),
        ("sqs://secret@region", "expected a URL such as"),
        ("sqs://[secret", "expected a URL such as"),
        ("sqs://key:secret@region?visibility=0", "whole seconds for visibility"),
        ("sqs://key:secret@region?visibility=1.5", "whole seconds for visibility"),
        ("sqs://key:secret@region?queue=x", "takes the options"),
        ("sqs://key:secret@region?endpoint=http://user:secret@host", "cannot be parsed"),
        ("sqs://key:secret@region?endpoint=http://user:secret%40host", "expected an address"),
    ],
)
def test_an_address_that_cannot_be_used(url, said):
    with pytest.raises(InputError, match=said) as caught:
        SQS(url)
    assert "secret@" not in str(caught.value).replace("key:secret@region", "")


def test_without_a_region_it_says_where_to_write_one(monkeypatch: pytest.MonkeyPatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(InputError, match="region"):
        SQS("sqs://").sender(Topology.of("ticket", {"billing": ["Paid"]}))


def test_an_unknown_profile_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    connect: Callable[..., Sender] = SQS("sqs://eu-central-1?profile=nobody").sender
    with pytest.raises(InputError, match="nobody"):
        connect(Topology.of("ticket", {"billing": ["Paid"]}))


# -- directories

DATED = st.dictionaries(st.text(), st.tuples(st.integers(0, 3), st.text()))


@given(st.lists(DATED, max_size=5), st.randoms())
def test_messages_are_put_together_in_any_order_and_however_often(parts, random):
    texts = [snapshot.written(each) for each in parts]
    whole = snapshot.together(texts)
    random.shuffle(texts)
    assert snapshot.together([*texts, *texts[:2], snapshot.written(whole)]) == whole
    assert whole.keys() == {key for each in parts for key in each}


@given(DATED, st.dictionaries(st.text(), st.text()), st.integers(0, 3))
def test_what_is_written_later_counts_whatever_the_clock_says(known, documents, now):
    later = snapshot.updated(known, documents, now)
    found = snapshot.together([snapshot.written(later), snapshot.written(known)])
    assert {key: text for key, (_, text) in found.items()} == {
        key: text for key, (_, text) in known.items()
    } | documents


BOMB = base64.b64encode(zlib.compress(b"[" * 10**8)).decode()


@pytest.mark.parametrize("text", ["", "hello", "AAAA", BOMB, *map(snapshot.packed, ([], 7, {"a": 1}, {"a": ["1", 2]}))])
def test_what_somebody_else_wrote_into_a_directory_is_no_document(text):
    assert snapshot.together([text, snapshot.written({"a": (1, "{}")})]) == {"a": (1, "{}")}


@pytest.fixture
def directory(stage, name) -> Iterator[SQSDirectory]:
    with closing(stage.transport().directory(name)) as directory:
        directory.write({"a": "1"})
        yield directory


def leave(name: str, **documents: str) -> None:
    """Send a message, as somebody does who dies before what it replaces is deleted."""
    text = snapshot.written({key: (2**60, text) for key, text in documents.items()})
    ids = {"MessageGroupId": "directory", "MessageDeduplicationId": uuid.uuid4().hex}
    url = sqs_server.url(name_of(directory_name(name)))
    sqs_server.client().send_message(QueueUrl=url, MessageBody=text, **ids)


def test_what_the_dead_have_left_is_read_and_put_together_by_who_writes_next(name, directory):
    leave(name, b="2")
    leave(name, a="3")
    assert directory.read() == {"a": "3", "b": "2"}
    directory.write({"a": "4", "c": "5"})
    assert directory.read() == {"a": "4", "b": "2", "c": "5"}
    assert len(directory.version()) == 1


def test_more_than_can_be_read_at_a_time_is_put_together(name, directory):
    for number in range(25):
        leave(name, **{str(number): "x"})
    assert directory.read() == {"a": "1", **{str(number): "x" for number in range(25)}}


def test_what_is_a_day_old_is_sent_anew_because_sqs_forgets(monkeypatch, directory):
    before = directory.version()
    assert directory.version() == before
    monkeypatch.setattr("stamp.runtime.transports.sqs.directory.DAY", -60)
    assert directory.version() != before
    assert directory.read() == {"a": "1"}


def test_who_reads_waits_while_somebody_writes(name, directory):
    url = sqs_server.url(name_of(directory_name(name)))
    assert sqs_server.client().receive_message(QueueUrl=url, VisibilityTimeout=2)["Messages"]
    begun = time.monotonic()
    assert directory.read() == {"a": "1"}
    assert time.monotonic() - begun > 1


def test_a_directory_that_would_be_too_large_is_refused_and_stays_as_it_was(directory):
    with pytest.raises(DeliveryError, match=str(snapshot.LARGEST)):
        directory.write({"b": base64.b64encode(os.urandom(snapshot.LARGEST)).decode()})
    assert directory.read() == {"a": "1"}


def test_a_removed_queue_is_gone_but_for_its_dead_letters(stage):
    stage.sender().close()
    assert stage.transport().remove(stage.topology, stage.billing, discard=False) == 0
    names = {each.rpartition("/")[2] for each in sqs_server.client().list_queues()["QueueUrls"]}
    assert name_of(stage.billing) not in names
    assert {name_of(f"{stage.billing}.dead"), name_of(stage.search)} <= names

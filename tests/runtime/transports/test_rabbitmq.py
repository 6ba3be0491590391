"""What is special about RabbitMQ."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count, islice, product
from string import ascii_letters
from urllib.parse import urlsplit

import amqp
import pytest

from stamp.errors import DeliveryError, InputError, RejectedError, UnroutableError
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.documents import DOCUMENT_TYPE, directory_name
from stamp.runtime.transports.rabbitmq import RabbitMQ

from .brokers import RABBITMQ, Foreign
from .stage import PATIENCE, bodies, collect, take

pytestmark = pytest.mark.only("rabbitmq")

OURS = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 100,
    "x-dead-letter-exchange": "",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


@pytest.fixture
def channel() -> Iterator[amqp.Channel]:
    """A channel of a client that is not ours."""
    parts = urlsplit(RABBITMQ)
    with amqp.Connection(f"{parts.hostname}:{parts.port or 5672}", parts.username, parts.password) as connection:
        yield connection.channel()


def send(sender, *parcels):
    sender.post(parcels)
    return sender.confirm(PATIENCE)


def size(channel, queue):
    return channel.queue_declare(queue, passive=True).message_count


def until(condition):
    """Wait for what another process is about to do."""
    patience = threading.Event()
    for _ in range(1000):
        if condition():
            return
        patience.wait(0.02)
    pytest.fail("waited in vain")


# What survives


def test_queues_are_durable_quorum_queues_that_lose_no_dead_letters(stage, channel):
    stage.sender()
    for queue in (each.name for each in stage.topology.queues):
        arguments = {**OURS, "x-dead-letter-routing-key": f"{queue}.dead"}
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        dead = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
        channel.queue_declare(f"{queue}.dead", durable=True, auto_delete=False, arguments=dead)
    channel.exchange_declare(stage.name, "topic", durable=True, auto_delete=False)


def test_messages_are_persistent_and_say_what_they_are(stage):
    parcel = stage.parcel()
    assert stage.send(parcel) == [None]
    (arrival,) = take(stage.receiver("alpha"), 1)
    properties = {name: arrival.tag.properties[name] for name in ("delivery_mode", "type", "message_id")}
    assert properties == {"delivery_mode": 2, "type": "Ordered", "message_id": parcel.message.event_id.hex()}


def test_the_broker_counts_deliveries(stage):
    stage.publish(b"one")
    counts = []
    for _ in range(3):
        receiver = stage.receiver("alpha")
        counts += [each.deliveries for each in take(receiver, 1)]
        receiver.close()
    assert counts == [1, 2, 3]


def test_what_kills_every_consumer_ends_among_the_dead_letters(stage, channel):
    stage.publish(b"poison")
    queue = stage.queue("alpha")
    for _ in range(101):
        until(lambda: size(channel, queue) == 1)
        channel.basic_reject(channel.basic_get(queue).delivery_tag, requeue=True)
    until(lambda: size(channel, f"{queue}.dead") == 1)
    (letter,) = stage.broker.letters(queue)
    assert letter.body == b"poison"
    assert letter.headers["x-first-death-reason"] == "delivery_limit"


# Declaring


def test_a_queue_with_other_properties_is_told_by_name_and_with_what_to_do(stage, channel):
    queue = stage.queue("beta")
    channel.queue_declare(queue, durable=True, auto_delete=False)
    with pytest.raises(DeliveryError) as caught:
        stage.sender()
    assert f"queue '{queue}' exists with other properties" in str(caught.value)
    assert f"rabbitmqctl delete_queue {queue}" in str(caught.value)


def test_an_exchange_of_another_kind_is_told_by_name_and_with_what_to_do(stage, channel):
    channel.exchange_declare(stage.name, "fanout", durable=True, auto_delete=False)
    with pytest.raises(DeliveryError) as caught:
        stage.receiver("alpha")
    assert f"exchange '{stage.name}' exists with other properties" in str(caught.value)
    assert f"name={stage.name}" in str(caught.value)


def test_many_may_declare_at_once(stage):
    failures = []

    def connect():
        try:
            stage.sender()
        except DeliveryError as error:
            failures.append(error)

    threads = [threading.Thread(target=connect) for _ in range(7)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []


# Confirms


def test_no_more_than_the_window_is_ahead_of_the_confirms(stage, proxy, channel):
    far = stage.behind(proxy.port).with_options(window=10)
    sender = far.sender()
    proxy.hold("out")
    parcels = [far.parcel(b"%d" % number) for number in range(30)]
    posting = threading.Thread(target=sender.post, args=[parcels])
    posting.start()
    until(lambda: size(channel, stage.queue("alpha")) == 10)
    assert posting.is_alive()
    proxy.let_go()
    posting.join()
    assert sender.confirm(PATIENCE) == [None] * 30
    assert size(channel, stage.queue("alpha")) == 30


def test_a_late_confirm_is_no_confirm_of_what_comes_after_it(stage, proxy, far, channel):
    sender = far.sender()
    proxy.hold("out")
    sender.post([stage.parcel(b"slow")])
    with pytest.raises(DeliveryError, match="no answer from the broker"):
        sender.confirm(0.1)
    proxy.let_go()
    for use in (lambda: sender.post([stage.parcel(b"next")]), lambda: sender.confirm(PATIENCE)):
        with pytest.raises(DeliveryError, match="no answer from the broker"):
            use()
    # It was there all the time, and comes again: that is what inboxes are for.
    assert bodies(take(stage.receiver("alpha"), 1)) == [b"slow"]


def test_a_broker_that_blocks_publishers_is_told_when_an_answer_is_missing(stage, proxy, far):
    sender = far.sender()
    reason = b"low on memory"
    blocked = struct.pack(">HHB", 10, 60, len(reason)) + reason
    proxy.say(struct.pack(">BHI", 1, 0, len(blocked)) + blocked + b"\xce")
    proxy.hold("out")
    sender.post([stage.parcel()])
    with pytest.raises(DeliveryError, match="short of memory or disk"):
        sender.confirm(0.2)


def test_a_full_queue_refuses_and_its_neighbours_do_not(stage, channel):
    sender = stage.sender()
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    name = channel.queue_declare(exclusive=True, arguments=full).queue
    channel.queue_bind(name, stage.name, "Paid")
    verdicts = send(sender, *(stage.parcel(b"%d" % number, event="Paid") for number in range(3)), stage.parcel())
    assert [type(each) for each in verdicts] == [type(None), RejectedError, RejectedError, type(None)]
    assert "nack" in str(verdicts[1])


def test_returns_belong_to_the_message_that_was_returned_however_often_it_is_sent(stage):
    good, bad = stage.parcel(b"good"), Parcel(stage.message(b"bad", event="Unheard"), (stage.queue("alpha"),))
    verdicts = stage.send(bad, good, bad, bad, good)
    assert [type(each) for each in verdicts] == [
        UnroutableError,
        type(None),
        UnroutableError,
        UnroutableError,
        type(None),
    ]


def test_what_was_confirmed_before_the_wire_was_cut_is_there(stage, proxy, far):
    confirmed = []
    threading.Timer(0.3, proxy.cut).start()
    with pytest.raises(DeliveryError):
        send_for_ever(far, confirmed)
    arrived = bodies(collect(stage.receiver("alpha", prefetch=10**6), len(confirmed), within=PATIENCE))
    assert set(confirmed) <= set(arrived)


def send_for_ever(stage, confirmed):
    sender = stage.sender()
    for start in count(step=10):
        batch = [b"%d" % number for number in range(start, start + 10)]
        assert send(sender, *map(stage.parcel, batch)) == [None] * 10
        confirmed += batch


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ({"event": "x" * 256}, "256 bytes"),
        ({"event": "Paid", "x" * 256: ""}, "256 bytes"),
        ({"event": "Paid", "large": "x" * 131_072}, "131"),
        ({"event": "Paid", "CC": "elsewhere"}, "CC"),
    ],
    ids=["event", "name of a header", "headers", "CC"],
)
def test_what_would_end_the_connection_is_refused_and_its_neighbours_are_not(stage, flaw, told):
    verdicts = stage.send(stage.parcel(b"before"), Parcel(stage.message(**flaw), ()), stage.parcel(b"after"))
    assert [type(each) for each in verdicts] == [type(None), DeliveryError, type(None)]
    assert told in str(verdicts[1])
    assert bodies(take(stage.receiver("alpha"), 2)) == [b"before", b"after"]


def test_as_many_headers_as_fit_into_a_frame_arrive(stage):
    headers = {"large": "x" * 130_000}
    assert stage.send(stage.parcel(**headers)) == [None]
    assert take(stage.receiver("alpha"), 1)[0].headers == headers


# The directory


def test_the_directory_is_a_durable_stream_that_forgets_nothing(stage, channel):
    stage.directory()
    arguments = {"x-queue-type": "stream"}
    channel.queue_declare(directory_name(stage.name), durable=True, auto_delete=False, arguments=arguments)


def test_a_queue_with_the_name_of_the_directory_is_told_with_what_to_do(stage, channel):
    name = directory_name(stage.name)
    channel.queue_declare(name, durable=True, auto_delete=False)
    with pytest.raises(DeliveryError) as caught:
        stage.directory()
    assert f"queue '{name}' exists with other properties" in str(caught.value)
    assert f"rabbitmqctl delete_queue {name}" in str(caught.value)


def test_several_may_open_a_new_directory_at_once(stage, channel):
    name = directory_name(stage.name)
    for _ in range(10):  # RabbitMQ has declared a stream before it can be consumed
        with ThreadPoolExecutor(4) as pool:
            opened = list(pool.map(lambda _: stage.directory(), range(4)))
        assert [each.read() for each in opened] == [{}] * 4
        for each in opened:
            each.close()
        channel.queue_delete(name)


def test_opening_a_directory_adds_nothing_to_it(stage):
    versions = [stage.directory().version() for _ in range(3)]
    assert len(set(versions)) == 1


@pytest.mark.parametrize("documents", [{"large": "x" * 2**20}, {str(number): str(number) for number in range(3000)}])
def test_large_documents_and_many_of_them_are_kept(stage, documents):
    directory = stage.directory()
    directory.write(documents)
    assert directory.read() == documents


def test_what_is_no_document_is_passed_over(stage, channel):
    directory = stage.directory()
    name = directory_name(stage.name)
    documents = {"content_type": DOCUMENT_TYPE}
    for properties in (
        {},
        documents,
        {"application_headers": {"stamp-key": "a"}},
        {**documents, "application_headers": {"stamp-key": 7}},
    ):
        channel.basic_publish_confirm(amqp.Message(b"{}", **properties), "", name)
    before = directory.version()
    assert directory.read() == {}
    directory.write({"a": "1"})
    assert directory.version() != before
    assert directory.read() == {"a": "1"}


def test_a_deleted_stream_is_told_and_made_again_by_the_next(stage, channel):
    directory = stage.directory()
    directory.write({"a": "1"})
    channel.queue_delete(directory_name(stage.name))
    with pytest.raises(DeliveryError, match=directory_name(stage.name)):
        directory.read()
    assert stage.directory().read() == {}


def test_writing_to_a_deleted_stream_is_an_error(stage, channel):
    directory = stage.directory()
    channel.queue_delete(directory_name(stage.name))
    with pytest.raises(UnroutableError, match=directory_name(stage.name)):
        directory.write({"a": "1"})


# Connections


def test_a_deleted_queue_ends_its_receiver_and_is_declared_again_by_the_next(stage, channel):
    receiver = stage.receiver("alpha", "beta")
    channel.queue_delete(stage.queue("beta"))
    with pytest.raises(DeliveryError, match=f"queue '{stage.queue('beta')}'.*deleted"):
        take(receiver, 1)
    receiver = stage.receiver("alpha", "beta")
    stage.publish(b"one")
    assert len(take(receiver, 2)) == 2


def test_who_waits_keeps_the_connection_alive(stage):
    patient = stage.with_options(heartbeat=1)
    sender, receiver, directory = patient.sender(), patient.receiver("alpha"), patient.directory()
    assert list(receiver.receive(4)) == []
    assert directory.read() == {}
    assert send(sender, stage.parcel(b"one")) == [None]
    assert bodies(take(receiver, 1)) == [b"one"]


def test_a_peer_that_has_vanished_is_noticed(stage, proxy):
    far = stage.behind(proxy.port).with_options(heartbeat=1)
    sender, receiver = far.sender(), far.receiver("alpha")
    proxy.hold()
    with pytest.raises(DeliveryError):
        take(receiver, 1)
    with pytest.raises(DeliveryError):
        send(sender, stage.parcel())


def test_who_is_closed_leaves_no_thread_behind(stage):
    both = stage.sender(), stage.directory()
    hearts = [each for each in threading.enumerate() if each.name == "stamp-rabbitmq-heart"]
    for each in both:
        each.close()
    for heart in hearts:
        heart.join(PATIENCE)
        assert not heart.is_alive()


def test_an_interrupted_call_leaves_a_sender_that_is_of_no_use(stage):
    sender = stage.sender()

    def interrupted():
        yield stage.parcel()
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        sender.post(interrupted())
    with pytest.raises(DeliveryError):
        sender.confirm(PATIENCE)


def test_a_wrong_password_is_told_without_it():
    parts = urlsplit(RABBITMQ)
    wrong = parts._replace(netloc=f"guest:wr0ng-s3cret@{parts.hostname}:{parts.port}").geturl()
    with pytest.raises(DeliveryError) as caught:
        RabbitMQ(wrong).sender(None)
    assert "refused" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_next_host_is_tried_when_one_does_not_answer(stage):
    transport = RabbitMQ(f"amqp://guest:s3cret@127.0.0.1:1;{RABBITMQ}")
    transport.sender(stage.topology).close()
    assert "s3cret" not in transport.address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("amqp://", "amqp://guest@127.0.0.1:5672"),
        ("amqp://guest:guest@127.0.0.1:5672//", "amqp://guest@127.0.0.1:5672"),
        ("amqps://me:p%2Fw@rabbit/orders?ssl_ca_certs=/ca.pem", "amqps://me@rabbit:5671/orders"),
        ("pyamqp://[::1]:5673/%2F?window=7", "amqp://guest@[::1]:5673"),
        ("amqp://a:x@one;amqp://b:y@two", "amqp://a@one:5672;amqp://b@two:5672"),
    ],
)
def test_addresses_are_told_without_passwords(url, address):
    assert RabbitMQ(url).address == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis://h",
        "s3cret",
        "amqp://me:s3cr#et@h",
        "amqp://me:s3cr/et@h",
        "amqp://me:1/s3cr@h",
        "amqp://me:s3cr;et@h",
        "amqp://[s3cr",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url):
    with pytest.raises(InputError) as caught:
        RabbitMQ(url)
    assert "%2F" in str(caught.value)
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("heartbeat=0", "from 1 to"),
        ("window=many", "'many'"),
        ("windows=10", "not windows"),
        ("ssl_ca_certs=/ca.pem", "amqps://"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, told):
    with pytest.raises(InputError, match=told):
        RabbitMQ(f"amqp://host?{options}")


# What others send


def test_a_dead_letter_goes_nowhere_else_and_does_not_perish(stage, channel):
    receiver = stage.receiver("alpha", "gamma")
    headers = {"CC": [stage.queue("gamma")]}
    message = amqp.Message(b"one", application_headers=headers, expiration="60000", user_id="guest")
    channel.basic_publish_confirm(message, "", stage.queue("alpha"))
    (arrival, copy) = sorted(take(receiver, 2), key=lambda each: each.queue)
    receiver.acknowledge([copy])
    receiver.bury(arrival, "no envelope")
    assert stage.leftovers(receiver) == []
    letter = channel.basic_get(f"{stage.queue('alpha')}.dead")
    assert not {"expiration", "user_id"} & letter.properties.keys()
    assert "CC" not in letter.headers


def test_a_letter_whose_headers_fill_a_frame_lies_without_them(stage):
    receiver = stage.receiver("alpha")
    stage.broker.inject(stage.queue("alpha"), Foreign(b"body", {"large": "x" * 130_000}))
    receiver.bury(take(receiver, 1)[0], "no envelope")
    (letter,) = stage.broker.letters(stage.queue("alpha"))
    assert letter.body == b"body"
    assert letter.headers["stamp-left-out"] == "130005 bytes: no room for them"


SIZE = 200_000


def bodies_of(count):
    return [b"%03d" % number * (SIZE // 3) for number in range(count)]


def small_receiver(stage, stack, room):
    receiver = stage.transport.receiver(stage.topology, [stage.queue("alpha")], prefetch=100, prefetch_bytes=room)
    stack.callback(receiver.close)
    return receiver


@pytest.mark.parametrize("room", [1, SIZE, 5 * SIZE])
def test_what_there_was_no_room_for_comes_again_in_its_order_and_only_once(stage, stack, room):
    stage.publish(*bodies_of(30))
    receiver = small_receiver(stage, stack, room)
    got, highest = [], 0
    while len(got) < 30:
        arrivals = collect(receiver, 1, within=20)
        assert arrivals
        highest = max(highest, sum(len(each.body) for each in arrivals))
        got += bodies(arrivals)
        receiver.acknowledge(arrivals)
    assert got == bodies_of(30)
    assert highest < room + SIZE + 1
    assert stage.leftovers(receiver) == []


def test_a_message_is_left_a_few_times_at_most(stage, stack):
    stage.publish(*bodies_of(30))
    receiver = small_receiver(stage, stack, 2 * SIZE)
    deliveries = []
    while len(deliveries) < 30:
        arrivals = collect(receiver, 1, within=20)
        deliveries += [each.deliveries for each in arrivals]
        receiver.acknowledge(arrivals)
    assert max(deliveries) <= 3


def test_others_have_the_rest_while_somebody_holds_as_much_as_he_may(stage, stack):
    stage.publish(*bodies_of(6))
    full, other = small_receiver(stage, stack, 1), small_receiver(stage, stack, 10 * SIZE)
    held = collect(full, 1, within=20)
    got: list[bytes] = []
    while len(held) + len(got) < 6:
        assert full.receive(0.01) == []
        arrivals = collect(other, 1, within=20)
        assert arrivals
        got += bodies(arrivals)
    assert sorted([*bodies(held), *got]) == bodies_of(6)


@pytest.mark.slow  # as long as a broker waits for somebody who does not read
def test_who_holds_as_much_as_he_may_stays_connected(stage, stack):
    stage.publish(*bodies_of(200))
    receiver = small_receiver(stage, stack, 8 * SIZE)
    held = collect(receiver, 8, within=20)
    until = time.monotonic() + 90
    while time.monotonic() < until:
        assert receiver.receive(0.5) == []
    receiver.acknowledge(held)
    assert {each.deliveries for each in held} == {1}
    assert bodies(collect(receiver, 1, within=20))[0] == bodies_of(200)[len(held)]


@pytest.mark.parametrize("reason", ["no envelope", "x" * 4_000])
@pytest.mark.parametrize("number", [12_000, 14_520, 14_555])
def test_a_message_with_as_many_headers_as_a_frame_holds_can_be_buried(stage, number, reason):
    names = ["".join(each) for each in islice(product(ascii_letters, repeat=3), number)]
    receiver = stage.receiver("alpha")
    stage.broker.inject(stage.queue("alpha"), Foreign(b"body", dict.fromkeys(names, "")))
    receiver.bury(take(receiver, 1)[0], reason)
    (letter,) = stage.broker.letters(stage.queue("alpha"))
    assert letter.body == b"body"
    assert letter.headers["stamp-reason"] == reason

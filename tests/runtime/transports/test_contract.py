"""What every transport must do, and that each does what it promises."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from dataclasses import replace

import pytest

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.message import CONTENT_ENCODING
from stamp.runtime.transport import Parcel

from .brokers import TABLE, Foreign
from .stage import PATIENCE, bodies, drain, take

ALL_BYTES = bytes(range(256))
NUMBERED = [b"%03d" % number for number in range(250)]


# Who gets what


def test_each_listener_gets_a_copy(stage):
    stage.publish(b"one")
    assert [bodies(take(stage.receiver(step), 1)) for step in ("alpha", "beta")] == [[b"one"], [b"one"]]


@pytest.mark.slow_on("kafka")
def test_who_does_not_listen_gets_nothing(stage):
    stage.publish(b"one", event="Paid")
    alpha, gamma = stage.receiver("alpha"), stage.receiver("gamma")
    assert bodies(take(gamma, 1)) == [b"one"]
    assert stage.leftovers(alpha) == []


@pytest.mark.slow_on("kafka")
def test_an_event_waits_for_a_consumer_that_never_was_there(stage):
    stage.publish(b"one")
    stage.publish(b"two")
    assert sorted(bodies(take(stage.receiver("alpha"), 2))) == [b"one", b"two"]


def test_a_receiver_may_consume_several_queues_and_is_told_which(stage):
    stage.publish(b"one")
    arrivals = take(stage.receiver("alpha", "beta"), 2)
    assert {(each.queue, each.body) for each in arrivals} == {(stage.queue(step), b"one") for step in ("alpha", "beta")}


def test_sent_again_only_the_named_queues_get_it(stage):
    parcel = stage.parcel(b"again")
    assert stage.send(Parcel(parcel.message, (stage.queue("beta"),), again=True)) == [None]
    alpha, beta = stage.receiver("alpha"), stage.receiver("beta")
    assert bodies(take(beta, 1)) == [b"again"]
    assert stage.leftovers(alpha) == []


@pytest.mark.slow_on("kafka")
def test_sent_again_to_several_queues_each_gets_it_once(stage):
    queues = (stage.queue("alpha"), stage.queue("gamma"))
    assert stage.send(Parcel(stage.message(b"again"), queues, again=True)) == [None]
    receiver = stage.receiver("alpha", "beta", "gamma")
    assert sorted(each.queue for each in take(receiver, 2)) == sorted(queues)
    assert stage.leftovers(receiver) == []


@pytest.mark.slow_on("kafka")
@pytest.mark.parametrize("again", [False, True])
def test_what_nobody_has_to_take_may_vanish(stage, again):
    assert stage.send(Parcel(stage.message(event="Finished"), (), again=again)) == [None]
    assert stage.leftovers(stage.receiver("alpha", "beta", "gamma")) == []


@pytest.mark.promised("orders")
def test_a_queue_keeps_the_order_in_which_one_sender_sent_what_belongs_to_a_run(stage):
    numbered = NUMBERED[: stage.broker.many]
    stage.publish(*numbered, run="4729")
    assert bodies(drain(stage.receiver("alpha"), len(numbered))) == numbered


@pytest.mark.promised("orders")
def test_the_order_holds_over_several_batches_of_one_sender(stage):
    sender = stage.sender()
    numbered = NUMBERED[: stage.broker.many]
    size = len(numbered) // 5
    for start in range(0, len(numbered), size):
        sender.post([stage.parcel(body, run="4729") for body in numbered[start : start + size]])
        assert sender.confirm(PATIENCE) == [None] * size
    assert bodies(drain(stage.receiver("alpha"), len(numbered))) == numbered


def test_what_is_sent_while_somebody_waits_arrives(stage):
    receiver = stage.receiver("alpha")
    thread = threading.Timer(0.2, stage.publish, [b"late"])
    thread.start()
    assert bodies(take(receiver, 1)) == [b"late"]
    thread.join()


def test_without_messages_a_receiver_returns_none(stage):
    receiver = stage.receiver("alpha")
    assert [list(receiver.receive(timeout)) for timeout in (0, 0.05)] == [[], []]


def test_many_senders_and_receivers_lose_nothing_and_share_the_work(stage):
    receivers = [stage.receiver("alpha", prefetch=5) for _ in range(2)]
    numbered = NUMBERED[: stage.broker.many]
    senders = [threading.Thread(target=stage.publish, args=numbered[start::2]) for start in range(2)]
    for each in senders:
        each.start()
    arrived: dict[int, list[bytes]] = {0: [], 1: []}
    while sum(map(len, arrived.values())) < len(numbered):
        for number, receiver in enumerate(receivers):
            arrivals = receiver.receive(0.05)
            receiver.acknowledge(arrivals)
            arrived[number] += bodies(arrivals)
    for each in senders:
        each.join()
    assert sorted(arrived[0] + arrived[1]) == numbered
    assert all(arrived.values())


# Acknowledging


def test_acknowledged_messages_do_not_come_again(stage):
    stage.publish(b"one", b"two", b"three")
    receiver = stage.receiver("alpha")
    receiver.acknowledge(take(receiver, 3))
    receiver.close()
    assert stage.leftovers(stage.receiver("alpha")) == []


@pytest.mark.promised("redelivers")
@pytest.mark.parametrize("kept", [[1, 3], [0, 1, 2, 3]])
def test_what_was_not_acknowledged_comes_again_and_nothing_else(stage, kept):
    stage.publish(b"0", b"1", b"2", b"3")
    receiver = stage.receiver("alpha")
    arrivals = sorted(take(receiver, 4), key=lambda each: each.body)
    receiver.acknowledge([each for number, each in enumerate(arrivals) if number not in kept])
    receiver.close()
    again = stage.receiver("alpha")
    assert sorted(bodies(take(again, len(kept), within=stage.again))) == [b"%d" % number for number in kept]
    assert stage.leftovers(again) == []


def test_acknowledging_twice_or_nothing_harms_nobody(stage):
    stage.publish(b"one", b"two")
    receiver = stage.receiver("alpha", prefetch=1)
    first = take(receiver, 1)
    receiver.acknowledge(first)
    receiver.acknowledge(first)
    receiver.acknowledge([])
    assert sorted(bodies(first + take(receiver, 1))) == [b"one", b"two"]


@pytest.mark.slow_on("kafka")
@pytest.mark.promised("redelivers")
def test_an_arrival_of_an_earlier_connection_acknowledges_nothing_on_this_one(stage):
    stage.publish(b"one")
    earlier = stage.receiver("alpha")
    stale = take(earlier, 1)
    earlier.close()
    receiver = stage.receiver("alpha")
    take(receiver, 1, within=stage.again)
    receiver.acknowledge(stale)
    receiver.close()
    stage.publish(b"two")
    # Whether it counts for the same message is the broker's choice; no other one may be hit.
    last = stage.receiver("alpha", prefetch=1)
    while bodies(arrivals := take(last, 1)) != [b"two"]:
        last.acknowledge(arrivals)


def test_no_more_than_the_prefetch_limit_is_out(stage):
    stage.publish(*NUMBERED[:10])
    receiver = stage.receiver("alpha", prefetch=3)
    out = take(receiver, 3)
    assert stage.leftovers(receiver) == []
    receiver.acknowledge(out[:1])
    out += take(receiver, 1)
    assert stage.leftovers(receiver) == []
    receiver.acknowledge(out[1:])
    assert len(take(receiver, 3)) == 3


def test_the_prefetch_limit_is_that_of_all_queues_together(stage):
    stage.publish(*NUMBERED[:4])
    receiver = stage.receiver("alpha", "beta", prefetch=1)
    seen = []
    for _ in range(8):
        arrivals = take(receiver, 1)
        assert list(receiver.receive(0.02)) == []
        receiver.acknowledge(arrivals)
        seen += [(each.queue, each.body) for each in arrivals]
    assert len(set(seen)) == 8


# A consumer that dies


@pytest.mark.promised("redelivers")
def test_what_a_closed_consumer_had_comes_again_within_the_promised_time(stage):
    stage.publish(b"one", b"two")
    first = stage.receiver("alpha")
    take(first, 2)
    first.close()
    assert sorted(bodies(take(stage.receiver("alpha"), 2, within=stage.again))) == [b"one", b"two"]


@pytest.mark.promised("redelivers")
@pytest.mark.promised("between_processes")
def test_what_a_killed_consumer_had_comes_again_within_the_promised_time(stage):
    stage.publish(*NUMBERED[:5])
    consumer = stage.consumer("alpha", 5)
    receiver = stage.receiver("alpha")
    consumer.kill()
    consumer.wait()
    assert sorted(bodies(take(receiver, 5, within=stage.again))) == NUMBERED[:5]


@pytest.mark.slow_on("kafka")
@pytest.mark.promised("redelivers")
def test_a_consumer_that_dies_is_nothing_to_its_siblings(stage):
    stage.publish(b"one")
    beta, alpha = stage.receiver("beta"), stage.receiver("alpha")
    beta.acknowledge(take(beta, 1))
    take(alpha, 1)
    alpha.close()
    assert bodies(take(stage.receiver("alpha"), 1, within=stage.again)) == [b"one"]
    assert stage.leftovers(beta) == []


def test_an_acknowledgement_is_nothing_to_the_siblings(stage):
    stage.publish(b"one")
    beta = stage.receiver("beta")
    beta.acknowledge(take(beta, 1))
    beta.close()
    assert bodies(take(stage.receiver("alpha"), 1)) == [b"one"]


@pytest.mark.slow_on("kafka")
@pytest.mark.promised("redelivers")
def test_a_message_that_is_never_acknowledged_stays(stage):
    stage.publish(b"one")
    for _ in range(3):
        receiver = stage.receiver("alpha")
        (arrival,) = take(receiver, 1, within=stage.again)
        receiver.close()
        assert arrival.body == b"one"


# What is carried


@pytest.mark.parametrize(
    "body", [b"", b"\0", ALL_BYTES, ALL_BYTES[::-1] * 1024], ids=["empty", "zero", "all", "256KiB"]
)
def test_bodies_arrive_byte_for_byte(stage, body):
    stage.publish(body)
    (arrival,) = take(stage.receiver("alpha"), 1)
    assert isinstance(arrival.body, bytes)
    assert arrival.body == body


def test_headers_arrive(stage):
    headers = {"ce-id": "1", "empty": "", "Ünïcødé": "日本語 \N{SNAKE}", "quotes": "\"'\\\n\t", "long": "x" * 5000}
    headers |= {f"header-{number}": str(number) for number in range(100)}
    assert stage.send(stage.parcel(**headers)) == [None]
    (arrival,) = take(stage.receiver("alpha"), 1)
    assert arrival.headers == headers


@pytest.mark.promised("redelivers")
def test_a_message_that_comes_again_looks_as_it_did(stage):
    assert stage.send(stage.parcel(ALL_BYTES, **{"ce-id": "1"})) == [None]
    looks = []
    for _ in range(2):
        receiver = stage.receiver("alpha")
        (arrival,) = take(receiver, 1, within=stage.again)
        receiver.close()
        looks.append((arrival.body, arrival.headers, arrival.content_type, arrival.content_encoding))
    assert looks[0] == looks[1]


def test_the_content_type_and_encoding_of_envelopes_arrive(stage):
    stage.publish(b"one")
    (arrival,) = take(stage.receiver("alpha"), 1)
    assert (arrival.content_type, arrival.content_encoding) == (CONTENT_TYPE, CONTENT_ENCODING)


def test_the_first_delivery_is_number_one(stage):
    stage.publish(b"one")
    assert take(stage.receiver("alpha"), 1)[0].deliveries == 1


FOREIGN = [  # no two with the same body
    Foreign(b'{"json": true}', {}, "application/json", "utf-8"),
    Foreign(b"\xff\xfe not utf-8", {"a": "1"}, "text/plain", "utf-8"),
    Foreign(gzip.compress(b"x" * 1000), {"compression": "application/x-gzip"}, CONTENT_TYPE, CONTENT_ENCODING),
    Foreign(b"", {"compression": "no such thing"}, "application/x-python-serialize", "binary"),
    Foreign(
        ALL_BYTES, {"number": 7, "truth": True, "nothing": None, "list": ["a", 1], "table": {"b": "c"}}, "a/b", "base64"
    ),
    Foreign(b"bare"),
]


def test_foreign_messages_arrive_as_they_came_with_the_headers_that_are_text(stage):
    receiver = stage.receiver("alpha")
    sent = {foreign.body: stage.inject("alpha", foreign) for foreign in FOREIGN}
    arrivals = take(receiver, len(FOREIGN))
    assert {
        each.body: Foreign(each.body, each.headers, each.content_type, each.content_encoding) for each in arrivals
    } == sent
    assert not any(each.unreadable for each in arrivals)


def test_a_compression_header_of_ours_is_not_acted_upon(stage):
    body = gzip.compress(b"x" * 1000)
    assert stage.send(stage.parcel(body, compression="application/x-gzip")) == [None]
    (arrival,) = take(stage.receiver("alpha"), 1)
    assert (arrival.body, arrival.headers) == (body, {"compression": "application/x-gzip"})


# What is refused


def test_a_body_larger_than_promised_is_refused_and_its_neighbours_are_not(stage):
    too_large = bytes(stage.promises.largest + 1)
    verdicts = stage.send(stage.parcel(b"before"), stage.parcel(too_large), stage.parcel(b"after"))
    assert [type(each) for each in verdicts] == [type(None), DeliveryError, type(None)]
    assert str(stage.promises.largest) in str(verdicts[1])
    receiver = stage.receiver("alpha")
    assert sorted(bodies(take(receiver, 2))) == [b"after", b"before"]
    assert stage.leftovers(receiver) == []


def test_a_body_as_large_as_promised_arrives_whole(stage):
    body = ALL_BYTES * (stage.promises.largest // 256) + bytes(stage.promises.largest % 256)
    stage.publish(body)
    (arrival,) = take(stage.receiver("alpha"), 1)
    assert arrival.body == body


@pytest.mark.promised("returns")
def test_an_event_that_no_queue_takes_is_refused_and_its_neighbours_are_not(stage):
    nowhere = Parcel(stage.message(event="Unheard"), (stage.queue("alpha"),))
    verdicts = stage.send(stage.parcel(b"before"), nowhere, stage.parcel(b"after"))
    assert [type(each) for each in verdicts] == [type(None), UnroutableError, type(None)]
    assert "Unheard" in str(verdicts[1])
    assert sorted(bodies(take(stage.receiver("alpha"), 2))) == [b"after", b"before"]


@pytest.mark.promised("returns")
def test_a_queue_that_does_not_exist_is_told_when_it_is_sent_again(stage):
    queues = (stage.queue("alpha"), stage.queue("nobody"))
    verdicts = stage.send(Parcel(stage.message(b"one"), queues, again=True), stage.parcel(b"two"))
    assert [type(each) for each in verdicts] == [UnroutableError, type(None)]
    assert Counter(bodies(take(stage.receiver("alpha"), 2))) == {b"one": 1, b"two": 1}


@pytest.mark.not_promised("returns")
def test_an_event_that_no_queue_takes_vanishes_and_that_is_not_promised_otherwise(stage):
    assert stage.send(Parcel(stage.message(event="Unheard"), (stage.queue("alpha"),))) == [None]


def test_confirm_answers_for_what_was_posted_since_the_last_time(stage):
    sender = stage.sender()
    assert list(sender.confirm(PATIENCE)) == []
    sender.post([stage.parcel()])
    sender.post([stage.parcel(), stage.parcel()])
    assert sender.confirm(PATIENCE) == [None] * 3
    sender.post([])
    assert list(sender.confirm(PATIENCE)) == []


# Dead letters


@pytest.mark.promised("buries")
def test_what_is_buried_lies_as_it_came_and_does_not_come_again(stage):
    receiver = stage.receiver("alpha")
    sent = {foreign.body: stage.inject("alpha", foreign) for foreign in FOREIGN}
    stage.publish(b"other")
    for arrival in take(receiver, len(FOREIGN) + 1):
        if arrival.body in sent:
            receiver.bury(arrival, "cannot be read")
        else:
            receiver.acknowledge([arrival])
    receiver.close()
    letters = {each.body: each for each in stage.broker.letters(stage.queue("alpha"))}
    assert letters.keys() == sent.keys()
    for body, foreign in sent.items():
        letter = letters[body]
        assert (letter.content_type, letter.content_encoding) == (foreign.content_type, foreign.content_encoding)
        assert foreign.headers.items() <= letter.headers.items()
        assert "cannot be read" in letter.headers.values()
    assert stage.leftovers(stage.receiver("alpha")) == []


@pytest.mark.not_promised("buries")
def test_without_dead_letter_queues_nothing_is_buried_and_the_message_stays_out(stage):
    stage.publish(b"one")
    receiver = stage.receiver("alpha")
    (arrival,) = take(receiver, 1)
    with pytest.raises(DeliveryError, match="dead letter"):
        receiver.bury(arrival, "cannot be read")


# A broker that is gone


@pytest.mark.served
def test_connecting_to_nobody_raises_and_tells_no_password(stage, proxy, far):
    proxy.cut()
    for connect in (far.sender, lambda: far.receiver("alpha")):
        with pytest.raises(DeliveryError) as caught:
            connect()
        assert str(proxy.port) in str(caught.value)
        assert not any(password in str(caught.value) for password in stage.broker.secrets)


@pytest.mark.served
def test_a_sender_whose_broker_is_gone_raises(stage, proxy, far):
    sender = far.sender()
    proxy.cut()
    with pytest.raises(DeliveryError):
        send(sender, stage.parcel())
    with pytest.raises(DeliveryError):
        sender.post([stage.parcel()])
    with pytest.raises(DeliveryError):
        sender.confirm(1)


@pytest.mark.slow_on("kafka")
@pytest.mark.served
def test_a_sender_whose_broker_goes_before_the_confirm_raises(stage, proxy, far):
    sender = far.sender()
    proxy.hold("out")
    sender.post([stage.parcel()])
    proxy.cut()
    with pytest.raises(DeliveryError):
        sender.confirm(PATIENCE)


def send(sender, *parcels):
    sender.post(parcels)
    return sender.confirm(PATIENCE)


@pytest.mark.served
def test_a_receiver_whose_broker_is_gone_raises(proxy, far):
    receiver = far.receiver("alpha")
    proxy.cut()
    with pytest.raises(DeliveryError):
        take(receiver, 1)
    with pytest.raises(DeliveryError):
        receiver.receive(1)


@pytest.mark.slow_on("kafka")
@pytest.mark.served
def test_acknowledging_to_a_broker_that_is_gone_raises_and_the_message_comes_again(stage, proxy, far):
    stage.publish(b"one")
    receiver = far.receiver("alpha")
    arrivals = take(receiver, 1)
    proxy.cut()
    with pytest.raises(DeliveryError):
        receiver.acknowledge(arrivals)
    assert bodies(take(stage.receiver("alpha"), 1, within=stage.again)) == [b"one"]


@pytest.mark.slow_on("kafka")
@pytest.mark.served
@pytest.mark.promised("buries")
def test_burying_with_a_broker_that_is_gone_raises_and_the_message_comes_again(stage, proxy, far):
    stage.publish(b"one")
    receiver = far.receiver("alpha")
    (arrival,) = take(receiver, 1)
    proxy.cut()
    with pytest.raises(DeliveryError):
        receiver.bury(arrival, "cannot be read")
    assert bodies(take(stage.receiver("alpha"), 1, within=stage.again)) == [b"one"]
    assert stage.broker.letters(stage.queue("alpha")) == []


@pytest.mark.served
def test_closing_is_quiet_when_the_broker_is_gone(proxy, far):
    opened = far.sender(), far.receiver("alpha")
    proxy.cut()
    for each in opened:
        each.close()


# Closing


def test_closing_twice_is_as_good_as_once(stage):
    for each in (stage.sender(), stage.receiver("alpha")):
        each.close()
        each.close()


def test_what_was_closed_is_of_no_use_any_more(stage):
    sender, receiver = stage.sender(), stage.receiver("alpha")
    sender.close()
    receiver.close()
    for use in (lambda: send(sender, stage.parcel()), lambda: receiver.receive(0)):
        with pytest.raises(DeliveryError):
            use()


@pytest.mark.slow_on("kafka")
def test_connecting_again_changes_nothing(stage):
    stage.publish(b"one")
    for _ in range(3):
        stage.sender().close()
        stage.receiver("alpha", "beta").close()
    assert b"one" in bodies(take(stage.receiver("alpha"), 1, within=PATIENCE + stage.again))


def test_the_address_tells_no_password(stage):
    assert stage.transport.address
    assert not any(password in stage.transport.address for password in stage.broker.secrets)
    assert not any(password in repr(stage.transport) for password in stage.broker.secrets)


def test_a_transport_promises_what_the_table_says_but_for_times_that_can_be_set(stage, transport):
    told = TABLE[transport].promises
    assert bool(stage.promises.redelivers) == bool(told.redelivers)
    assert replace(stage.promises, redelivers=told.redelivers) == told

"""Listeners that come later, and those that go: what every transport must do."""

from __future__ import annotations

import threading
from time import monotonic, sleep

import pytest

from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.transport import Parcel

from .brokers import LATE
from .stage import PATIENCE, bodies, take


def send(sender, *parcels):
    sender.post(parcels)
    return list(sender.confirm(PATIENCE))


# One that comes later


@pytest.fixture
def late(stage):
    """A sender that was connected before, and what consumes the queue of a step that it does not know."""
    sender = stage.sender()
    assert send(sender, stage.parcel(b"early")) == [None]
    (step,) = LATE
    return sender, stage.receiver(step, topology=stage.later), stage.queue(step)


@pytest.mark.slow_on("kafka")
def test_who_is_named_gets_the_next_event_once_and_so_do_the_others(stage, late):
    sender, receiver, queue = late
    parcel = stage.parcel(b"one")
    assert send(sender, parcel._replace(queues=(*parcel.queues, queue))) == [None]
    assert bodies(take(receiver, 1)) == [b"one"]
    assert stage.leftovers(receiver) == []
    assert sorted(bodies(take(stage.receiver("alpha", "beta"), 4))) == [b"early"] * 2 + [b"one"] * 2


@pytest.mark.slow_on("kafka")
@pytest.mark.parametrize("event", ["Ordered", "Finished"])
def test_an_event_that_was_sent_before_is_handed_to_it_alone(stage, late, event):
    sender, receiver, queue = late
    assert send(sender, Parcel(stage.message(b"one", event=event), (queue,), again=True)) == [None]
    assert bodies(take(receiver, 1)) == [b"one"]
    assert stage.leftovers(receiver) == []
    assert bodies(take(stage.receiver("alpha"), 1)) == [b"early"]


@pytest.mark.promised("routes")
@pytest.mark.parametrize("event", ["Ordered", "Finished"])
def test_a_broker_that_routes_needs_not_be_told(stage, late, event):
    sender, receiver, _ = late
    assert send(sender, stage.parcel(b"one", event=event)) == [None]
    assert bodies(take(receiver, 1)) == [b"one"]
    assert stage.leftovers(receiver) == []


# One that goes


def test_a_queue_with_nothing_in_it_is_removed(stage):
    stage.receiver("alpha").close()
    assert stage.remove_when_left("alpha") == 0


@pytest.mark.promised("buries")
def test_dead_letters_stay(stage):
    stage.publish(b"one")
    receiver = stage.receiver("alpha")
    receiver.bury(*take(receiver, 1), "cannot be read")
    receiver.close()
    assert stage.remove_when_left("alpha") == 0
    assert [each.body for each in stage.broker.letters(stage.queue("alpha"))] == [b"one"]


def test_a_queue_that_is_not_there_is_no_error(stage):
    assert [stage.remove("alpha"), stage.remove("alpha", discard=True)] == [0, 0]
    stage.sender()
    assert [stage.remove("alpha"), stage.remove("alpha"), stage.remove("alpha", discard=True)] == [0, 0, 0]


def test_a_queue_in_which_messages_wait_stays_unless_they_are_to_be_discarded(stage):
    stage.publish(b"one", b"two", b"three")
    with pytest.raises(DeliveryError, match=stage.queue("alpha")) as caught:
        stage.remove("alpha")
    assert "3" in str(caught.value)
    receiver = stage.receiver("alpha")
    assert sorted(bodies(take(receiver, 3))) == [b"one", b"three", b"two"]
    receiver.close()
    assert stage.remove("beta", discard=True) == 3
    assert stage.leftovers(stage.receiver("beta")) == []


@pytest.mark.but("kafka")  # the mock does not tell who is in a group
def test_a_queue_stays_while_somebody_is_at_work_on_its_messages(stage):
    stage.publish(b"one")
    receiver = stage.receiver("alpha")
    arrivals = take(receiver, 1)
    for discard in (False, True):
        with pytest.raises(DeliveryError, match=stage.queue("alpha")):
            stage.remove("alpha", discard=discard)
    receiver.acknowledge(arrivals)
    stage.publish(b"two")
    assert bodies(take(receiver, 1)) == [b"two"]


def test_nobody_waits_for_ever_at_a_queue_that_was_removed(stage):
    receiver = stage.receiver("alpha")
    receiver.receive(0)
    try:
        stage.remove("alpha")
    except DeliveryError:  # it is known that somebody consumes it
        stage.publish(b"one")
        assert bodies(take(receiver, 1)) == [b"one"]
    else:
        with pytest.raises(DeliveryError):
            wait(receiver)


def wait(receiver):
    end = monotonic() + PATIENCE
    while monotonic() < end:
        receiver.receive(0.1)


def test_a_sender_that_is_connected_is_told_and_does_not_make_the_queue_again(stage):
    sender = stage.sender()
    assert stage.remove("alpha") == 0
    for _ in range(2):
        verdicts = send(
            sender, Parcel(stage.message(), (stage.queue("alpha"),), again=True), stage.parcel(event="Paid")
        )
        assert [type(each) for each in verdicts] == [UnroutableError, type(None)]
    assert stage.remove("alpha") == 0


@pytest.mark.slow_on("kafka")
def test_who_else_listens_gets_the_event_all_the_same(stage):
    sender = stage.sender()
    stage.remove("alpha")
    (verdict,) = send(sender, stage.parcel(b"one"))
    assert isinstance(verdict, type(None) if stage.promises.routes else UnroutableError)
    beta = stage.receiver("beta", topology=stage.without("alpha"))
    assert bodies(take(beta, 1)) == [b"one"]
    assert stage.leftovers(beta) == []


@pytest.mark.but("rabbitmq", "kafka", "sqs")  # they say how many messages there are, and not how many went
def test_what_is_confirmed_while_a_queue_is_removed_is_in_the_queue_or_among_what_went(stage):
    sender, confirmed = stage.sender(), []
    done = threading.Event()

    def publish():
        while not done.is_set():
            parcels = [Parcel(stage.message(), (stage.queue("alpha"),), again=True) for _ in range(3)]
            confirmed.extend(verdict for verdict in send(sender, *parcels) if verdict is None)
            sleep(0.002)  # to write all the time would keep others from writing at all

    thread = threading.Thread(target=publish)
    thread.start()
    went = 0
    for _ in range(6):
        before, end = len(confirmed), monotonic() + PATIENCE
        while len(confirmed) == before:
            assert monotonic() < end
            sleep(0.001)
        went += stage.remove("alpha", discard=True)
        stage.sender().close()
    done.set()
    thread.join()
    assert went + stage.remove("alpha", discard=True) >= len(confirmed)


@pytest.mark.slow_on("kafka")
def test_who_connects_with_it_declares_it_again(stage):
    stage.publish(b"old")
    assert stage.remove("alpha", discard=True) == 1
    stage.publish(b"new")
    receiver = stage.receiver("alpha")
    assert bodies(take(receiver, 1)) == [b"new"]
    assert stage.leftovers(receiver) == []


@pytest.mark.served
def test_nothing_can_be_removed_at_nobody_and_no_password_is_told(stage, proxy, far):
    proxy.cut()
    with pytest.raises(DeliveryError) as caught:
        far.remove("alpha")
    assert str(proxy.port) in str(caught.value)
    assert not any(password in str(caught.value) for password in stage.broker.secrets)

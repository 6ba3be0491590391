"""What comes in from a broker, and what is acknowledged."""

from __future__ import annotations

import pytest

from stamp.errors import DeliveryError
from stamp.runtime.intake import BUSY, IDLE, Intake
from stamp.runtime.points import pass_by
from stamp.runtime.topology import Topology

from .protocol.broker import Copy, SimulatedBroker
from .protocol.moments import lose_the_broker

TOPOLOGY = Topology.of("shop", {"packing": ["Paid"]})
QUEUE = "shop.packing"


@pytest.fixture
def broker():
    return SimulatedBroker(keeps=True)


@pytest.fixture
def rings():
    return []


@pytest.fixture
def intake(broker, rings):
    return Intake(lambda: broker.receiver(TOPOLOGY, [QUEUE], prefetch=10), ring=lambda: rings.append(1), at=pass_by)


def put(broker, *bodies):
    for body in bodies:
        broker.put(Copy(QUEUE, body))


def bodies(received):
    return [each.arrival.body for each in received]


def test_what_arrives_is_collected_in_its_order_and_once(intake, broker, rings):
    put(broker, b"1", b"2", b"3")
    intake.turn()

    assert rings == [1]
    assert bodies(intake.collect(2)) == [b"1", b"2"]
    assert bodies(intake.collect(2)) == [b"3"]
    assert intake.collect(2) == []


def test_nothing_is_acknowledged_until_it_is_settled(intake, broker):
    put(broker, b"1", b"2")
    intake.turn()
    first, second = intake.collect(2)
    intake.turn()
    assert not broker.is_empty

    intake.settle([second])
    intake.turn()
    intake.disconnect()

    assert [copy.body for copy in broker.queues[QUEUE]] == [b"1"]
    assert first.arrival.body == b"1"


def test_what_is_given_back_is_next(intake, broker):
    put(broker, b"1", b"2", b"3")
    intake.turn()
    intake.give_back(intake.collect(2))

    assert bodies(intake.collect(3)) == [b"1", b"2", b"3"]


def test_what_is_buried_lies_among_the_dead_letters(intake, broker):
    put(broker, b"1")
    intake.turn()
    intake.bury(*intake.collect(1), "cannot be read")
    intake.turn()

    assert [(copy.body, reason) for copy, reason in broker.buried] == [(b"1", "cannot be read")]
    assert broker.is_empty


def test_messages_of_an_old_connection_are_never_acknowledged_on_a_new_one(intake, broker):
    put(broker, b"1", b"2", b"3")
    intake.turn()
    settled, buried, kept = intake.collect(3)
    broker.crash()
    with pytest.raises(DeliveryError):
        intake.turn()
    put(broker, b"4")
    intake.turn()
    new = intake.collect(10)

    assert not any(map(intake.is_current, (settled, buried, kept)))
    intake.settle([settled])
    intake.bury(buried, "cannot be read")
    intake.give_back([kept])
    intake.turn()

    assert bodies(new) == [b"1", b"2", b"3", b"4"]
    assert intake.collect(10) == []
    assert broker.buried == []
    intake.disconnect()
    assert len(broker.queues[QUEUE]) == 4


def test_what_was_settled_before_a_connection_was_lost_comes_again(intake, broker):
    put(broker, b"1")
    intake.turn()
    intake.settle(intake.collect(1))
    broker.at = lose_the_broker

    with pytest.raises(DeliveryError):
        intake.turn()
    assert not intake.is_connected
    broker.at = lambda moment: None
    intake.turn()

    assert bodies(intake.collect(1)) == [b"1"]


def test_what_nobody_collected_is_forgotten_with_its_connection(intake, broker):
    put(broker, b"1")
    intake.turn()
    intake.disconnect()

    assert intake.collect(1) == []
    intake.turn()
    assert bodies(intake.collect(1)) == [b"1"]


def test_who_cannot_connect_tries_again_in_the_next_turn(intake, broker):
    broker.stop()
    with pytest.raises(DeliveryError):
        intake.turn()
    assert not intake.is_connected

    broker.start()
    intake.turn()

    assert intake.is_connected


def test_the_last_acknowledgements_are_sent_without_receiving(intake, broker):
    put(broker, b"1")
    intake.turn()
    intake.settle(intake.collect(1))
    put(broker, b"2")

    intake.finish()

    assert intake.collect(1) == []
    intake.disconnect()
    assert [copy.body for copy in broker.queues[QUEUE]] == [b"2"]


def test_finishing_without_a_connection_is_nothing(intake):
    intake.finish()
    intake.disconnect()


def test_it_listens_shortly_while_something_is_to_be_acknowledged(broker):
    waited = []

    class Patient:
        def receive(self, timeout):
            waited.append(timeout)
            return receiver.receive(timeout)

        def acknowledge(self, arrivals):
            receiver.acknowledge(arrivals)

    receiver = broker.receiver(TOPOLOGY, [QUEUE], prefetch=10)
    intake = Intake(Patient, ring=lambda: None, at=pass_by)
    put(broker, b"1")

    intake.turn()
    intake.turn()
    intake.settle(intake.collect(1))
    intake.turn()

    assert waited == [IDLE, BUSY, IDLE]

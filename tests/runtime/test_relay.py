"""What goes out to a broker: again and again, until it is certain."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest
from sqlalchemy import text

from stamp.errors import DeliveryError, StoreError
from stamp.runtime import relay as module
from stamp.runtime.listeners import Listeners
from stamp.runtime.outlet import parcels, post
from stamp.runtime.points import pass_by
from stamp.runtime.relay import BATCH, ENOUGH, LOOK, Relay
from stamp.runtime.topology import Topology
from stamp.store import inbox
from stamp.store.message import Message

from .protocol.broker import SimulatedBroker
from .protocol.clock import Clock
from .protocol.moments import lose_the_broker
from .protocol.store import SimulatedStore

TOPOLOGY = Topology.of("shop", {"packing": ["Paid"], "receipt": ["Paid"]})
REST = 5_000_000


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock.seconds)
    return clock


@pytest.fixture
def store():
    with SimulatedStore.open("sqlite://") as store:
        yield store


@pytest.fixture(params=[True, False], ids=["keeping", "losing"])
def broker(request):
    return SimulatedBroker(keeps=request.param)


@pytest.fixture
def keeping():
    return SimulatedBroker(keeps=True)


@pytest.fixture
def losing():
    return SimulatedBroker(keeps=False)


@pytest.fixture
def office(store, clock):
    """Return what makes relays, and what they are given."""
    return Office(store, clock)


class Office:
    def __init__(self, store, clock):
        self.store, self.clock, self.rings = store, clock, []

    def relay(self, broker):
        return Relay(
            lambda: broker.sender(TOPOLOGY),
            self.store,
            keeps=broker.promises.keeps,
            clock=self.clock,
            rest=REST,
            ring=lambda: self.rings.append(1),
            at=pass_by,
        )

    def put(self, *events, relay=None):
        """Put events into the outbox, and hand them to `relay`, if there is one."""
        with self.store.begin() as transaction:
            post(Listeners(TOPOLOGY), transaction, events, now=self.clock(), rest=REST)
        if relay is not None:
            relay.hand(parcels(TOPOLOGY, events))

    @property
    def left(self):
        with self.store.read() as connection:
            return connection.execute(text("SELECT count(*) FROM stamp_outbox")).scalar_one()


def paid(number=1):
    return Message("shop", str(number), "Paid", number.to_bytes(16), b"body %d" % number, {})


def ended(number=1):
    return Message("shop", str(number), "Packed", number.to_bytes(16), b"body %d" % number, {})


def sent(broker):
    return {queue: [copy.body for copy in copies] for queue, copies in broker.queues.items()}


def test_what_is_handed_over_is_sent_to_all_who_listen(office, broker):
    relay = office.relay(broker)
    office.put(paid(1), paid(2), relay=relay)

    assert relay.turn()

    assert sent(broker) == {"shop.packing": [b"body 1", b"body 2"], "shop.receipt": [b"body 1", b"body 2"]}
    assert office.rings
    assert relay.is_empty


def test_a_confirm_of_a_broker_that_keeps_is_a_receipt(office, keeping):
    relay = office.relay(keeping)
    office.put(paid(), relay=relay)
    relay.turn()

    assert office.left == 0


def test_of_another_broker_only_the_inbox_of_who_listens_is(office, losing, clock):
    relay = office.relay(losing)
    office.put(paid(), relay=relay)
    relay.turn()
    assert office.left == 2

    with office.store.begin() as transaction:
        inbox.put(transaction, [("shop.packing", paid())], now=clock())
    clock.sleep(LOOK)
    relay.turn()
    assert office.left == 1
    losing.queues.clear()
    clock.sleep(REST / 1e6)
    relay.turn()
    assert sent(losing) == {"shop.receipt": [b"body 1"]}


def test_an_event_that_ends_a_run_is_offered_once(office, broker):
    relay = office.relay(broker)
    office.put(ended(), relay=relay)

    relay.turn()

    assert [parcel.message for parcel in broker.offered] == [ended()]
    assert office.left == 0


def test_nothing_is_sent_when_there_is_nothing(office, broker):
    relay = office.relay(broker)
    assert not relay.turn()
    assert relay.is_connected


def test_what_nobody_handed_over_is_found_in_the_outbox_later(office, broker, clock):
    relay = office.relay(broker)
    office.put(paid())
    relay.turn()
    assert sent(broker) == {}

    clock.sleep(REST / 1e6)
    relay.turn()

    assert sent(broker) == {"shop.packing": [b"body 1"], "shop.receipt": [b"body 1"]}


def test_what_has_no_receipt_rests_longer_each_time(office, losing, clock):
    relay = office.relay(losing)
    office.put(paid())
    times = []
    for _ in range(400):
        clock.sleep(1)
        if relay.turn():
            times.append(clock.seconds())

    rests = [round(later - earlier) for earlier, later in pairwise(times)]
    assert rests[:6] == [10, 20, 40, 60, 60, 60]


def test_it_is_told_when_nobody_seems_to_take_an_event(office, losing, clock, caplog):
    relay = office.relay(losing)
    office.put(paid())
    for _ in range(12):
        clock.sleep(61)
        relay.turn()

    [warning, *_] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert "sent 10 times without a receipt: does shop." in warning.getMessage()
    assert warning.workflow_id == "1"


def test_what_got_lost_does_not_wait_until_there_is_nothing_else_to_send(office, losing, clock):
    relay = office.relay(losing)
    office.put(paid(1))
    clock.sleep(REST / 1e6)
    office.put(*map(paid, range(2, 5 * BATCH)), relay=relay)

    relay.turn()

    assert sent(losing)["shop.packing"][0] == b"body 1"


def test_what_is_new_does_not_wait_until_all_is_sent_that_got_lost(office, losing, clock):
    relay = office.relay(losing)
    office.put(*map(paid, range(2, 5 * BATCH)))
    clock.sleep(REST / 1e6)
    office.put(paid(1), relay=relay)

    relay.turn()
    relay.turn()

    assert b"body 1" in sent(losing)["shop.packing"]


def test_a_long_outbox_is_sent_without_pauses(office, keeping, clock):
    relay = office.relay(keeping)
    office.put(*map(paid, range(3 * BATCH)))
    clock.sleep(REST / 1e6)

    while relay.turn():
        pass

    assert office.left == 0


@pytest.mark.parametrize("moment", ["before post", "after post", "before confirm"])
def test_what_was_not_confirmed_is_sent_again_on_another_connection(office, keeping, moment):
    relay = office.relay(keeping)
    office.put(paid(1), paid(2), relay=relay)
    keeping.at = lambda passed: lose_the_broker(moment) if passed == moment else None

    with pytest.raises(DeliveryError):
        relay.turn()
    assert not relay.is_connected
    assert office.left == 4
    keeping.at = lambda passed: None
    relay.turn()

    assert sent(keeping)["shop.packing"][-2:] == [b"body 1", b"body 2"]
    assert office.left == 0


def test_who_cannot_connect_keeps_what_there_is_to_send(office, keeping):
    relay = office.relay(keeping)
    office.put(paid(), relay=relay)
    keeping.stop()

    with pytest.raises(DeliveryError):
        relay.turn()

    assert not relay.is_empty
    assert office.left == 2


def test_what_is_refused_stays_in_the_outbox_and_is_told(office, keeping, clock, caplog):
    relay = office.relay(keeping)
    office.put(paid(1), paid(2), relay=relay)
    keeping.refusals = 1

    relay.turn()
    assert office.left == 2
    assert "there is no room" in caplog.text
    clock.sleep(REST / 1e6)
    relay.turn()

    assert office.left == 0


def test_what_cannot_be_marked_is_sent_again(office, keeping, store, clock):
    relay = office.relay(keeping)
    office.put(paid(), relay=relay)
    store.at = Failing("before transaction", after=1)

    with pytest.raises(StoreError):
        relay.turn()
    clock.sleep(REST / 1e6)
    relay.turn()

    assert sent(keeping) == {"shop.packing": [b"body 1"] * 2, "shop.receipt": [b"body 1"] * 2}
    assert office.left == 0


class Failing:
    """Fails once at a moment, after it was passed some times."""

    def __init__(self, moment, *, after):
        self._moment, self._left = moment, after

    def __call__(self, moment):
        if moment == self._moment:
            self._left -= 1
            if self._left == -1:
                raise StoreError("gone")


def test_no_more_is_handed_over_when_enough_waits(office, keeping):
    relay = office.relay(keeping)
    assert relay.has_room
    relay.hand(parcels(TOPOLOGY, [paid(number) for number in range(ENOUGH)]))
    assert not relay.has_room
    office.rings.clear()

    relay.turn()
    relay.turn()

    assert relay.has_room
    assert len(office.rings) == 1

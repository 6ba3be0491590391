"""Who listens, kept up to date; and events that reach who was announced while they were sent."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import pairwise

import pytest

from stamp.errors import DeliveryError
from stamp.runtime import tracking
from stamp.runtime.listeners import Listeners
from stamp.runtime.outlet import parcels
from stamp.runtime.topology import StepQueue, Topology
from stamp.runtime.tracking import TrackingSender
from stamp.store import directory
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.workflow.announcement import Announcement, listener_document

from .protocol.broker import SimulatedBroker
from .protocol.clock import Clock

CONTRACTS = Topology.of("shop", {"order": [], "packing": ["Paid"]}, {"packing": ["Packed"]})


def paid(number=1):
    return Message("shop", str(number), "Paid", number.to_bytes(16), b"%d" % number, {})


class TestListeners:
    @pytest.fixture
    def store(self):
        with Store.open("sqlite://") as store:
            yield store

    def read(self, listeners, store):
        with store.read() as connection:
            return listeners.read_store(connection)

    def announce(self, store, step, events):
        with store.begin() as tx:
            directory.write(tx, "shop", listener_document(step, events), now=1)

    def test_without_announcements_the_contracts_say_who_listens(self, store):
        assert self.read(Listeners(CONTRACTS), store) == CONTRACTS

    def test_a_step_that_nobody_knew_listens_too(self, store):
        listeners = Listeners(CONTRACTS)
        self.announce(store, "receipt", ["Paid"])

        topology = self.read(listeners, store)

        assert [queue.name for queue in topology.listeners("Paid")] == ["shop.packing", "shop.receipt"]
        assert topology.ends == CONTRACTS.ends
        assert listeners.topology is topology

    def test_what_a_step_says_itself_goes_before_its_contract(self, store):
        self.announce(store, "packing", ["Ordered"])
        assert self.read(Listeners(CONTRACTS), store).queues == (StepQueue("shop.packing", "packing", ("Ordered",)),)

    def test_a_step_that_has_been_given_up_gets_nothing(self, store):
        listeners = Listeners(CONTRACTS)
        self.announce(store, "packing", None)

        assert self.read(listeners, store).queues == ()
        assert listeners.has_given_up("shop.packing")
        assert not listeners.has_given_up("shop.receipt")

    def test_what_is_unchanged_is_not_worked_out_again(self, store):
        listeners = Listeners(CONTRACTS)
        self.announce(store, "receipt", ["Paid"])
        assert self.read(listeners, store) is self.read(listeners, store)

    def test_what_a_broker_and_a_store_know_is_put_together(self, store):
        listeners = Listeners(CONTRACTS)
        self.announce(store, "receipt", ["Paid"])
        self.read(listeners, store)

        topology = listeners.read_broker(listener_document("audit", ["Paid"]))

        assert {queue.step for queue in topology.listeners("Paid")} == {"packing", "receipt", "audit"}


class TestSender:
    @pytest.fixture(params=[False, True], ids=["keeps no bindings", "routes"])
    def broker(self, request):
        broker = SimulatedBroker(keeps=True)
        broker.promises = replace(broker.promises, routes=request.param)
        return broker

    @pytest.fixture
    def naive(self):
        """A broker that does not know who listens."""
        return SimulatedBroker(keeps=True)

    def send(self, sender, listeners, *messages):
        sender.post(parcels(listeners.topology, messages))
        return sender.confirm(1)

    def bodies(self, broker, step):
        return [copy.body for copy in broker.queues.get(f"shop.{step}", [])]

    def test_documents_are_announced_before_anything_is_sent(self, broker):
        TrackingSender(broker, Listeners(CONTRACTS), lambda: Announcement({"contract/order/step.json": "{}"}))
        assert broker.documents == {"contract/order/step.json": "{}"}

    def test_who_was_announced_before_is_known_from_the_beginning(self, broker):
        broker.documents |= listener_document("receipt", ["Paid"])
        listeners = Listeners(CONTRACTS)
        sender = TrackingSender(broker, listeners)

        assert self.send(sender, listeners, paid()) == [None]

        assert (self.bodies(broker, "packing"), self.bodies(broker, "receipt")) == ([b"1"], [b"1"])

    def test_who_is_announced_while_a_batch_is_sent_gets_it_too(self, naive):
        listeners = Listeners(CONTRACTS)
        sender = TrackingSender(naive, listeners)
        sender.post(parcels(listeners.topology, [paid(1), paid(2)]))
        naive.documents |= listener_document("receipt", ["Paid"])

        assert sender.confirm(1) == [None, None]
        self.send(sender, listeners, paid(3))

        assert self.bodies(naive, "receipt") == [b"1", b"2", b"3"]
        assert self.bodies(naive, "packing") == [b"1", b"2", b"3"]

    def test_who_became_known_after_an_event_was_addressed_gets_it_without_another_look(self, naive):
        naive.promises = replace(naive.promises, directory_age=60.0)
        naive.documents |= listener_document("receipt", ["Paid"])
        addressed = parcels(CONTRACTS, [paid()])
        sender = TrackingSender(naive, Listeners(CONTRACTS))

        sender.post(addressed)

        assert sender.confirm(1) == [None]
        assert [parcel.queues for parcel in naive.offered] == [("shop.packing", "shop.receipt")]

    def test_a_step_that_listens_to_more_gets_more(self, naive):
        listeners = Listeners(CONTRACTS)
        sender = TrackingSender(naive, listeners)
        naive.documents |= listener_document("packing", ["Paid", "Refunded"])
        self.send(sender, listeners, paid(1))
        sender._directory.look()

        refunded = paid(2)._replace(event="Refunded")
        assert self.send(sender, listeners, refunded) == [None]
        assert self.bodies(naive, "packing") == [b"1", b"2"]

    def test_an_event_that_nobody_listened_to_reaches_who_is_announced_while_it_is_sent(self, naive):
        listeners = Listeners(Topology.of("shop", {"order": []}))
        sender = TrackingSender(naive, listeners)
        sender.post(parcels(listeners.topology, [paid()]))
        naive.documents |= listener_document("receipt", ["Paid"])
        sender.confirm(1)
        assert self.bodies(naive, "receipt") == [b"1"]

    def test_what_was_sent_while_the_directory_was_away_reaches_who_was_announced_meanwhile(self, naive, monkeypatch):
        listeners = Listeners(CONTRACTS)
        sender = TrackingSender(naive, listeners)
        opened = naive.directory
        refusing = SimulatedBroker(keeps=True)
        refusing.stop()
        monkeypatch.setattr(naive, "directory", refusing.directory)
        monkeypatch.setattr(sender._directory, "_directory", refusing_directory(refusing))
        self.send(sender, listeners, paid(1))
        naive.documents |= listener_document("receipt", ["Paid"])

        monkeypatch.setattr(naive, "directory", opened)
        monkeypatch.setattr(sender._directory, "_look_at", float("-inf"))
        self.send(sender, listeners, paid(2))

        assert self.bodies(naive, "receipt") == [b"1", b"2"]

    def test_a_directory_that_cannot_be_used_keeps_nobody_from_sending(self, broker, monkeypatch, caplog):
        monkeypatch.setattr(broker, "directory", refused)
        listeners = Listeners(CONTRACTS)
        with caplog.at_level(logging.WARNING):
            sender = TrackingSender(broker, listeners, lambda: Announcement({"contract/order/step.json": "{}"}))
        assert self.send(sender, listeners, paid()) == [None]
        assert self.bodies(broker, "packing") == [b"1"]
        assert "you may not" in caplog.text

    def test_a_directory_that_takes_a_while_is_looked_into_from_time_to_time_or_each_time(self, naive):
        naive.promises = replace(naive.promises, directory_age=3600.0)
        listeners = Listeners(CONTRACTS)
        rarely, often = (TrackingSender(naive, listeners, every_time=each) for each in (False, True))
        naive.documents |= listener_document("receipt", ["Paid"])

        self.send(rarely, listeners, paid(1))
        assert self.bodies(naive, "receipt") == []
        self.send(often, listeners, paid(2))
        assert self.bodies(naive, "receipt") == [b"2"]
        rarely.close()
        assert self.bodies(naive, "receipt") == [b"2", b"1"]

    def test_what_is_kept_for_who_may_have_been_announced_is_bounded_by_its_bytes(self, naive, monkeypatch):
        monkeypatch.setattr(tracking, "KEPT", 5)
        listeners = Listeners(CONTRACTS)
        sender = TrackingSender(naive, listeners)
        opened = naive.directory
        monkeypatch.setattr(naive, "directory", refused)
        sender._directory.close()
        monkeypatch.setattr(sender._directory, "_look_at", float("-inf"))
        self.send(sender, listeners, *map(paid, range(90, 100)))  # two bytes each
        naive.documents |= listener_document("receipt", ["Paid"])

        monkeypatch.setattr(naive, "directory", opened)
        monkeypatch.setattr(sender._directory, "_look_at", float("-inf"))
        self.send(sender, listeners)

        assert self.bodies(naive, "receipt") == [b"98", b"99"]

    def test_a_directory_that_cannot_be_used_is_tried_less_and_less_often(self, naive, monkeypatch):
        clock, tried = Clock(), []
        monkeypatch.setattr(tracking, "monotonic", clock.seconds)
        monkeypatch.setattr(naive, "directory", lambda workflow: tried.append(clock.seconds()) or refused(workflow))
        listeners = Listeners(CONTRACTS)
        sender = TrackingSender(naive, listeners)
        for _ in range(200):
            self.send(sender, listeners)
            clock.sleep(1)
        assert [round(later - earlier) for earlier, later in pairwise(tried)] == [5, 10, 20, 40, 60, 60]

    def test_documents_that_got_lost_are_announced_again(self, naive):
        listeners = Listeners(CONTRACTS)
        documents = listener_document("packing", ["Paid"]) | {"contract/order/step.json": '{"on":["A"]}'}
        sender = TrackingSender(naive, listeners, lambda: Announcement(documents))
        naive.documents.clear()
        naive.documents["contract/order/step.json"] = '{"on":["B"]}'

        self.send(sender, listeners, paid())

        assert naive.documents == documents | {"contract/order/step.json": '{"on":["B"]}'}

    def test_who_connects_again_leaves_what_a_later_release_has_announced(self, broker):
        listeners, own = Listeners(CONTRACTS), Announcement({"contract/packing/step.json": '{"on":["A"]}'})
        TrackingSender(broker, listeners, lambda: own).close()
        broker.documents["contract/packing/step.json"] = '{"on":["B"]}'

        TrackingSender(broker, listeners, lambda: own).close()
        assert broker.documents == {"contract/packing/step.json": '{"on":["B"]}'}

    def test_what_is_announced_in_addition_is_written_by_the_next_connection(self, broker):
        listeners, documents = Listeners(CONTRACTS), listener_document("packing", ["Paid"])
        TrackingSender(broker, listeners, lambda: Announcement(documents)).close()
        more = documents | {"contract/order/step.json": "{}"}

        TrackingSender(broker, listeners, lambda: Announcement(more)).close()
        assert broker.documents == more

    def test_a_late_listener_that_the_broker_refuses_makes_the_batch_be_sent_again(self, naive):
        listeners = Listeners(CONTRACTS)
        sender = TrackingSender(naive, listeners)
        sender.post(parcels(listeners.topology, [paid()]))
        naive.documents |= listener_document("receipt", ["Paid"])
        naive.refusals = 1

        with pytest.raises(DeliveryError):
            sender.confirm(1)


def refused(workflow):
    raise DeliveryError("you may not")


def refusing_directory(broker):
    broker.start()
    target = broker.directory("shop")
    broker.stop()
    return target

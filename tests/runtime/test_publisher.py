"""Publishing from outside a step, with a broker, a store, or both."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from stamp import Workflow
from stamp.errors import DeliveryError, InputError, RejectedError, StoreError, UnroutableError, UsedIdError, WireError
from stamp.runtime.publisher import Publisher

from .protocol.broker import SimulatedBroker
from .protocol.clock import Clock
from .protocol.moments import lose_the_broker, lose_the_database
from .protocol.store import SimulatedStore
from .protocol.world import Order, Shop


@pytest.fixture
def shop():
    return Shop(Clock()).workflow


@pytest.fixture
def store():
    with SimulatedStore.open("sqlite://") as store:
        yield store


@pytest.fixture(params=["keeping", "losing"])
def broker(request):
    return SimulatedBroker(keeps=request.param == "keeping")


@pytest.fixture
def keeping():
    return SimulatedBroker(keeps=True)


@pytest.fixture
def losing():
    return SimulatedBroker(keeps=False)


def order(shop, run="1", item="lamp", **more):
    return shop.start(Order(item=item), workflow_id=run, **more)


def rows(store, table):
    with store.read() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def sent(broker):
    return [copy.headers["ce-subject"] for queue in broker.queues.values() for copy in queue]


def test_with_a_store_alone_events_go_into_the_inboxes_of_their_listeners(shop, store):
    with Publisher(shop, store=store) as publisher:
        publisher.publish(order(shop, "1"), order(shop, "2"))

    assert rows(store, "stamp_inbox") == 2
    assert rows(store, "stamp_outbox") == 0


def test_with_a_broker_alone_they_are_sent(shop, keeping):
    with Publisher(shop, broker=keeping) as publisher:
        publisher.publish(order(shop, "1"), order(shop, "2"))

    assert sent(keeping) == ["1", "2"]
    assert keeping.links == []


@pytest.mark.parametrize(("kind", "left"), [("keeping", 0), ("losing", 1)])
def test_with_both_they_stay_in_the_outbox_until_there_is_a_receipt(shop, store, request, kind, left):
    broker = request.getfixturevalue(kind)
    with Publisher(shop, broker=broker, store=store) as publisher:
        publisher.publish(order(shop))

    assert sent(broker) == ["1"]
    assert rows(store, "stamp_outbox") == left
    assert rows(store, "stamp_inbox") == 0


def test_with_neither_nothing_would_carry_the_events(shop):
    with pytest.raises(InputError, match="expected a broker or a store, got neither"):
        Publisher(shop)


def test_a_broker_that_may_lose_messages_is_not_enough(shop, losing):
    with pytest.raises(InputError, match="expected a store beside simulated://"):
        Publisher(shop, broker=losing)


def test_an_event_that_nobody_listens_to_is_refused_and_the_others_with_it(shop, store, broker):
    class Complaint(BaseModel):
        text: str

    shop.starts("complaint", Complaint, emits="Complained")
    stray = shop.start(Complaint(text="late"), workflow_id="2")

    publisher = Publisher(shop, broker=broker, store=store)
    with publisher, pytest.raises(UnroutableError, match="'Complained'"):
        publisher.publish(order(shop), stray)

    assert sent(broker) == []
    assert rows(store, "stamp_outbox") == 0


def test_publishing_nothing_is_nothing(shop, store, broker):
    with Publisher(shop, broker=broker, store=store) as publisher:
        publisher.publish()

    assert sent(broker) == []


def test_publishing_again_is_harmless(shop, store):
    with Publisher(shop, store=store) as publisher:
        publisher.publish(order(shop))
        publisher.publish(order(shop))

    assert rows(store, "stamp_inbox") == 1


def test_what_a_broker_refuses_is_told(shop, keeping):
    keeping.refusals = 1
    with Publisher(shop, broker=keeping) as publisher:
        with pytest.raises(DeliveryError, match="no room"):
            publisher.publish(order(shop, "1"), order(shop, "2"))
        publisher.publish(order(shop, "1"))

    assert sent(keeping) == ["2", "1"]


def test_what_a_broker_refuses_stays_in_the_outbox(shop, store, keeping):
    keeping.refusals = 1
    with Publisher(shop, broker=keeping, store=store) as publisher, pytest.raises(DeliveryError, match="no room"):
        publisher.publish(order(shop, "1"), order(shop, "2"))

    assert sent(keeping) == ["2"]
    assert rows(store, "stamp_outbox") == 1


def test_what_a_broker_rejects_for_now_is_sent_again(shop, keeping):
    keeping.rejections = 3
    with Publisher(shop, broker=keeping) as publisher:
        publisher.publish(order(shop, "1"), order(shop, "2"))

    assert sorted(sent(keeping)) == ["1", "2"]


def test_what_a_broker_rejects_all_the_time_is_said(shop, keeping):
    keeping.rejections = 1_000
    with Publisher(shop, broker=keeping) as publisher, pytest.raises(RejectedError, match="no room now"):
        publisher.publish(order(shop))


def test_a_broker_that_is_gone_is_told_and_with_a_store_nothing_is_lost(shop, store, broker):
    broker.stop()

    with Publisher(shop, broker=broker, store=store) as publisher, pytest.raises(DeliveryError):
        publisher.publish(order(shop))

    assert rows(store, "stamp_outbox") == 1


@pytest.mark.parametrize("moment", ["before post", "before confirm"])
def test_after_a_connection_was_lost_another_one_is_made(shop, keeping, moment):
    with Publisher(shop, broker=keeping) as publisher:
        keeping.at = lambda passed: lose_the_broker(passed) if passed == moment else None
        with pytest.raises(DeliveryError):
            publisher.publish(order(shop))
        keeping.at = lambda passed: None
        publisher.publish(order(shop))

    assert sent(keeping)[-1] == "1"


def test_a_database_that_is_gone_is_told_and_nothing_is_sent(shop, store, broker):
    store.at = lose_the_database

    with Publisher(shop, broker=broker, store=store) as publisher, pytest.raises(StoreError):
        publisher.publish(order(shop))

    assert sent(broker) == []


def test_what_is_sent_is_published_even_if_that_cannot_be_written_down(shop, store, keeping, caplog):
    with Publisher(shop, broker=keeping, store=store) as publisher:
        keeping.at = lambda moment: setattr(store, "at", lose_the_database)
        publisher.publish(order(shop))
    store.at = lambda moment: None

    assert sent(keeping) == ["1"]
    assert rows(store, "stamp_outbox") == 1
    assert "will be sent again" in caplog.text


def test_a_workflow_without_contracts_of_its_listeners_is_told_what_may_be_missing(store):
    shop = Workflow("shop", contracts="/nowhere")
    shop.starts("order", Order, emits="Placed")

    with Publisher(shop, store=store) as publisher, pytest.raises(UnroutableError, match="is a contract missing"):
        publisher.publish(order(shop))


class TestAUsedId:
    def test_the_same_content_is_said_to_have_begun_whenever_it_is_published(self, shop, store):
        with Publisher(shop, store=store) as publisher:
            assert publisher.publish(order(shop)) == []
            assert publisher.publish(order(shop)) == ["1"]
            assert rows(store, "stamp_inbox") == 1

    @pytest.mark.parametrize("change", [{"item": "desk"}, {"attributes": {"tenant": "other"}}])
    def test_other_content_is_refused_with_all_that_comes_with_it(self, shop, store, change):
        with Publisher(shop, store=store) as publisher:
            publisher.publish(order(shop))
            with pytest.raises(UsedIdError, match="'1', which began with other content") as raised:
                publisher.publish(order(shop, run="2"), order(shop, **change))
            assert raised.value.workflow_ids == ("1",)
            assert rows(store, "stamp_inbox") == 1

    def test_it_is_refused_long_after_the_run_is_done(self, shop, store):
        with Publisher(shop, store=store) as publisher:
            publisher.publish(order(shop))
            with store.begin() as tx:
                tx.execute(text("DELETE FROM stamp_content"))
                tx.execute(text("UPDATE stamp_inbox SET state = 2, done_at = 1"))
            assert publisher.publish(order(shop)) == ["1"]
            with pytest.raises(UsedIdError):
                publisher.publish(order(shop, item="desk"))

    def test_times_and_traces_are_no_content(self, shop, store):
        with Publisher(shop, store=store) as publisher:
            publisher.publish(order(shop))
            later = shop.with_clock(lambda: 5_000_000_000)
            assert publisher.publish(order(later, attributes={"traceparent": "00-1-2-01"})) == ["1"]

    def test_another_start_of_the_same_run_is_refused(self, shop, store):
        class Gift(BaseModel):
            to: str

        shop.starts("gift", Gift, emits="Placed")
        with Publisher(shop, store=store) as publisher:
            publisher.publish(order(shop))
            with pytest.raises(UsedIdError):
                publisher.publish(shop.start(Gift(to="Ada"), workflow_id="1"))

    def test_two_contents_in_one_call_are_refused_without_a_store_too(self, shop, keeping):
        with Publisher(shop, broker=keeping) as publisher:
            assert publisher.publish(order(shop), order(shop)) == []
            with pytest.raises(UsedIdError):
                publisher.publish(order(shop, run="2"), order(shop, run="2", item="desk"))
        assert sent(keeping) == ["1", "1"]

    def test_later_events_of_a_run_are_no_beginnings(self, shop, store):
        [paid] = shop.process("payment", order(shop).body)
        [other] = shop.process("payment", order(shop, item="desk").body)
        with Publisher(shop, store=store) as publisher:
            publisher.publish(order(shop))
            assert publisher.publish(paid, other) == []

    def test_what_may_not_have_arrived_is_sent_again_and_nothing_else(self, shop, store, keeping, losing):
        for run, broker, times in (("1", keeping, 1), ("2", losing, 2)):
            with Publisher(shop, broker=broker, store=store) as publisher:
                publisher.publish(order(shop, run=run))
                assert publisher.publish(order(shop, run=run)) == [run]
            assert sent(broker) == [run] * times


class TestWhatIsNotOurs:
    """An event that somebody has put together, or taken apart."""

    @pytest.mark.parametrize(
        ("headers", "said"),
        [
            ({}, "ce-id None in place of '"),
            (None, "ce-id None in place of '"),
            ({"ce-id": "nonsense"}, "ce-id 'nonsense' in place of '"),
            ({"ce-subject": "2"}, "ce-subject '2' in place of '1'"),
            ({"ce-type": "Paid"}, "ce-type 'Paid' in place of 'Placed'"),
            ({"ce-source": "/other/order"}, "ce-source '/other/order' in place of '/shop/' and the step"),
            ({"ce-time": 7}, "'ce-time': 7"),
            ({b"trace": "x"}, "b'trace': 'x'"),
        ],
    )
    def test_headers_that_are_not_those_of_the_envelope_are_refused(self, shop, store, headers, said):
        own = order(shop)
        changed = own.headers | headers if headers else headers
        with Publisher(shop, store=store) as publisher, pytest.raises(InputError) as raised:
            publisher.publish(order(shop, run="2"), own._replace(headers=changed))
        assert said in str(raised.value)
        assert rows(store, "stamp_inbox") == 0

    @pytest.mark.parametrize(
        ("change", "error"),
        [({"body": b"nonsense"}, WireError), ({"event": "Paid"}, InputError), ({"event": "Unheard"}, InputError)],
    )
    def test_so_is_what_is_no_envelope_or_one_of_another_event(self, shop, store, change, error):
        with Publisher(shop, store=store) as publisher, pytest.raises(error):
            publisher.publish(order(shop)._replace(**change))

    def test_more_headers_are_welcome(self, shop, store):
        own = order(shop)
        with Publisher(shop, store=store) as publisher:
            publisher.publish(own._replace(headers=own.headers | {"tenant": "a"}))
        assert rows(store, "stamp_inbox") == 1

    def test_an_event_of_another_workflow_is_refused(self, shop, store):
        other = Workflow("other", contracts="/nowhere")
        other.starts("order", Order, emits="Placed")
        with Publisher(shop, store=store) as publisher, pytest.raises(InputError, match="of 'other'"):
            publisher.publish(order(other))

"""What each virtual transport must do with an event that has more than one listener."""

from __future__ import annotations

import kombu
import pytest
from kombu.entity import Exchange, Queue
from kombu.transport.virtual.exchange import STANDARD_EXCHANGE_TYPES

from stamp.errors import UnroutableError
from stamp.runtime.connection import Connection
from stamp.runtime.message import CONTENT_ENCODING, CONTENT_TYPE

BODY = b"\xc3\x01\x00\xff not text"


class Listeners:
    """Two queues, `a` and `b`, that both get `order`, on one connection."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.channel = connection.default_channel
        self.exchange = Exchange(name, type="topic")
        self.queues = {each: Queue(f"{name}.{each}", self.exchange, routing_key="order") for each in "ab"}
        for queue in self.queues.values():
            queue(self.channel).declare()
        self.producer = kombu.Producer(self.channel, self.exchange)

    def publish(self, key="order", headers=None):
        self.producer.publish(
            BODY, routing_key=key, headers=headers, content_type=CONTENT_TYPE, content_encoding=CONTENT_ENCODING
        )

    def take(self, queue):
        return self.channel.basic_get(self.queues[queue].name)

    def waiting(self):
        """What the queues hold; taking it empties them."""
        return {queue: [m.body for m in iter(lambda queue=queue: self.take(queue), None)] for queue in self.queues}


@pytest.fixture
def listeners(connection, name):
    return Listeners(connection, name)


def test_each_listener_gets_the_event_once(listeners):
    listeners.publish()
    assert listeners.waiting() == {"a": [BODY], "b": [BODY]}


def test_copies_have_their_own_delivery_tag_and_know_only_their_own_queue(listeners):
    listeners.publish()
    a, b = listeners.take("a"), listeners.take("b")
    assert a.delivery_tag != b.delivery_tag
    assert [m.delivery_info for m in (a, b)] == [
        {"exchange": "", "routing_key": listeners.queues[each].name} for each in "ab"
    ]


def test_copies_share_no_headers_with_each_other_or_with_the_sender(listeners):
    sent = {"trace": {"parent": "1"}}
    listeners.publish(headers=sent)
    a, b = listeners.take("a"), listeners.take("b")
    a.headers["trace"]["parent"] = "changed"
    a.headers["more"] = "of it"
    assert b.headers == sent == {"trace": {"parent": "1"}}


def test_an_ack_does_not_touch_the_copy_of_another_listener(listeners):
    listeners.publish()
    a, b = listeners.take("a"), listeners.take("b")
    a.ack()
    b.requeue()
    assert listeners.waiting() == {"a": [], "b": [BODY]}


def test_a_requeued_message_goes_back_to_its_own_queue_only(listeners):
    listeners.publish()
    listeners.take("a").reject(requeue=True)
    assert listeners.waiting() == {"a": [BODY], "b": [BODY]}


@pytest.mark.parametrize("connect", ["filesystem", "sql", "redis"], indirect=True)  # memory restores nothing
def test_what_was_not_acked_is_restored_to_its_own_queue_when_the_connection_closes(connect, name):
    first = connect()
    listeners = Listeners(first, name)
    listeners.publish()
    listeners.take("a")
    listeners.take("b").ack()
    first.release()
    assert Listeners(connect(), name).waiting() == {"a": [BODY], "b": []}


def test_a_queue_that_is_bound_twice_gets_one_copy(listeners):
    for pattern in ("#", "order.#"):
        listeners.queues["a"](listeners.channel).bind_to(listeners.exchange, pattern)
    listeners.publish()
    assert listeners.waiting() == {"a": [BODY], "b": [BODY]}


def test_patterns_follow_the_rules_of_amqp(listeners):
    listeners.queues["a"](listeners.channel).bind_to(listeners.exchange, "invoice.#")
    listeners.queues["b"](listeners.channel).bind_to(listeners.exchange, "*.paid")
    for key in ("invoice", "invoice.paid", "invoice.paid.late"):
        listeners.publish(key)
    assert {queue: len(bodies) for queue, bodies in listeners.waiting().items()} == {"a": 3, "b": 1}


def test_what_no_queue_takes_raises(listeners):
    with pytest.raises(UnroutableError, match=r"'invoice'"):
        listeners.publish("invoice")
    assert listeners.waiting() == {"a": [], "b": []}


def test_an_exchange_that_was_not_declared_here_raises(listeners, name):
    with pytest.raises(UnroutableError, match="not declared"):
        listeners.channel.basic_publish(listeners.channel.prepare_message(BODY), f"{name}-other", "order")


def test_it_holds_after_a_reconnect_and_in_a_clone(connection, name):
    Listeners(connection, name)
    connection.release()
    connection.connect()
    for each in (connection, connection.clone()):
        with each, pytest.raises(UnroutableError):
            Listeners(each, name).publish("invoice")


def test_it_holds_after_a_switch_to_another_host(name):
    with Connection("memory://") as connection:
        connection.connect()
        connection.switch("memory://elsewhere")
        with pytest.raises(UnroutableError):
            Listeners(connection, name).publish("invoice")


def test_other_connections_of_the_process_keep_the_exchange_types_of_kombu(connection):
    connection.connect()
    with kombu.Connection("memory://") as plain:
        types = {name: type(each) for name, each in plain.default_channel.exchange_types.items()}
    assert types == STANDARD_EXCHANGE_TYPES


def test_rabbitmq_keeps_its_own_exchange():
    url = "amqp://localhost"
    assert Connection(url).get_transport_cls() is kombu.Connection(url).get_transport_cls()

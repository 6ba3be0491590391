"""A Kafka that every machine has: the mock cluster in librdkafka, and a wire to it that can be cut.

It speaks Kafka's protocol over TCP, with consumer groups and idempotent producers, to any client. It keeps everything in memory, cannot tell
the properties of topics or who is in a group, takes any login, and its groups wait for a whole session timeout, less a second, whenever somebody left.
It cannot make or delete topics on request either, so `Clerk` does it.
"""

from __future__ import annotations

import ctypes
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from socket import socket
from typing import Any, Final

from .proxy import Proxy

HOST: Final = b"127.0.0.1"
PRODUCER: Final = 0
SAID: Final = 512
PARTITIONS: Final = 4
VERSIONS, CREATE, DELETE = 18, 19, 20
"""Kinds of requests, by their numbers in the protocol."""
REQUEST: Final = struct.Struct(">ihhi")
"""How a request begins: its length, kind, version, and the number by which its answer is known."""
NO_CONTROLLER: Final = re.compile(rb"(mockCluster[0-9a-f]+)\0\0\0\0")
END, TOPIC, VALUE, FLAGS, HEADERS, COPY = 0, 1, 4, 7, 10, 2
"""What comes next in the arguments of `rd_kafka_producev`, and that the value is copied."""
CONTENT: Final = ("content-type", "content-encoding")
SESSION: Final = 1.3
"""Seconds without a sign of life: few, because the groups of the mock wait for as long, less one, whenever somebody left."""


class Cluster:
    """A cluster of `brokers` on this machine, until it is closed or the process ends."""

    def __init__(self, brokers: int) -> None:
        self._brokers = range(1, brokers + 1)
        self._library = _library()
        said = ctypes.create_string_buffer(SAID)
        settings = _function("rd_kafka_conf_new", ctypes.c_void_p)()
        _function("rd_kafka_conf_set", ctypes.c_int, *[ctypes.c_void_p] + [ctypes.c_char_p] * 3, ctypes.c_size_t)(
            settings, b"log_level", b"0", said, SAID
        )
        make = _function(
            "rd_kafka_new", ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
        )
        handle = make(PRODUCER, settings, said, SAID)
        assert handle, said.value
        new = _function("rd_kafka_mock_cluster_new", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
        self._handle, self._cluster = ctypes.c_void_p(handle), ctypes.c_void_p(new(handle, brokers))
        assert self._cluster
        bootstraps = _function("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p, ctypes.c_void_p)
        self.servers: str = bootstraps(self._cluster).decode()
        self._tell("group_initial_rebalance_delay_ms", 0)

    @property
    def ports(self) -> list[int]:
        return [int(each.rpartition(":")[2]) for each in self.servers.split(",")]

    def make(self, topic: str, partitions: int = PARTITIONS) -> None:
        self._tell("topic_create", topic.encode(), partitions, len(self._brokers))

    def delete(self, topic: str) -> None:
        self._tell("topic_delete", topic.encode())

    def close(self) -> None:
        """End it, after its clients."""
        self._tell("cluster_destroy")
        self._library.rd_kafka_destroy(self._handle)

    def stop(self) -> None:
        """Let all brokers hang up, and answer to nobody."""
        for broker in self._brokers:
            self._tell("broker_set_down", broker)

    def start(self) -> None:
        for broker in self._brokers:
            self._tell("broker_set_up", broker)

    def fail(self, request: int, *errors: int) -> None:
        """Answer the next requests of a kind, by its number in the protocol, with `errors`."""
        self._tell("push_request_errors_array", request, len(errors), (ctypes.c_int * len(errors))(*errors))

    def forgive(self, request: int) -> None:
        """Answer requests of a kind without errors again."""
        self._tell("clear_request_errors", request)

    def _tell(self, verb: str, *arguments: Any) -> None:
        function = getattr(self._library, f"rd_kafka_mock_{verb}")
        function(self._cluster, *arguments)


@cache
def _library() -> ctypes.CDLL:
    """Return librdkafka as the Python client has it."""
    from confluent_kafka import cimpl

    return ctypes.CDLL(cimpl.__file__)


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    function = getattr(_library(), name)
    function.restype, function.argtypes = result, arguments
    return function  # type: ignore[no-any-return] # ctypes has no type for it


@cache
def cluster(brokers: int = 1) -> Cluster:
    """Return the cluster that all tests of this process share."""
    return Cluster(brokers)


@cache
def clerk() -> Clerk:
    """Return the wire to the cluster that all tests of this process share."""
    return Clerk(cluster())


def inject(servers: Cluster, queue: str, body: bytes, headers: Mapping[str, str], *content: str | None) -> None:
    """Publish a record, as somebody else may."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": servers.servers, "log_level": 0})
    special = [each for each in zip(CONTENT, content, strict=True) if each[1] is not None]
    producer.produce(queue, body, headers=[*headers.items(), *special])
    assert producer.flush(10) == 0


def inject_raw(servers: Cluster, topic: str, records: Sequence[tuple[bytes, Sequence[tuple[bytes, bytes]]]]) -> None:
    """Publish bodies with headers whose names are any bytes, which the Python client does not: other clients do."""
    said = ctypes.create_string_buffer(SAID)
    text, pointer, size = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_ssize_t
    settings = _function("rd_kafka_conf_new", pointer)()
    _function("rd_kafka_conf_set", ctypes.c_int, pointer, text, text, text, ctypes.c_size_t)(
        settings, b"bootstrap.servers", servers.servers.encode(), said, SAID
    )
    make = _function("rd_kafka_new", pointer, ctypes.c_int, pointer, text, ctypes.c_size_t)
    producer = make(PRODUCER, settings, said, SAID)
    add = _function("rd_kafka_header_add", ctypes.c_int, pointer, text, size, text, size)
    produce = _function("rd_kafka_producev", ctypes.c_int, pointer)
    for body, headers in records:
        written = _function("rd_kafka_headers_new", pointer, ctypes.c_size_t)(len(headers))
        for name, value in headers:
            assert add(written, name, len(name), value, len(value)) == 0
        fields = [
            *(ctypes.c_int(TOPIC), text(topic.encode())),
            *(ctypes.c_int(VALUE), text(body), ctypes.c_size_t(len(body))),
            *(ctypes.c_int(FLAGS), ctypes.c_int(COPY)),
            *(ctypes.c_int(HEADERS), pointer(written)),
            ctypes.c_int(END),
        ]
        assert produce(producer, *fields) == 0
    assert _function("rd_kafka_flush", ctypes.c_int, pointer, ctypes.c_int)(producer, 10_000) == 0
    _function("rd_kafka_destroy", None, pointer)(producer)


def letters(servers: Cluster, queue: str) -> Iterator[tuple[Any, ...]]:
    """Return what is in the topic of dead letters, as somebody else may read it."""
    from confluent_kafka import Consumer, TopicPartition

    options = {"group.id": "letters", "enable.partition.eof": True, "fetch.wait.max.ms": 10, "log_level": 0}
    consumer = Consumer({"bootstrap.servers": servers.servers, **options})
    consumer.assign([TopicPartition(f"{queue}.dead", number, 0) for number in range(PARTITIONS)])
    ends = 0
    while ends < PARTITIONS:
        for each in consumer.consume(PARTITIONS, 0.05):
            if each.error() is None:
                headers = {name: value.decode() for name, value in each.headers() or ()}
                content = [headers.pop(name, None) for name in CONTENT]
                yield each.value() or b"", headers, *content
            else:
                ends += 1
    consumer.close()


class Wire(Proxy):
    """A wire to a cluster of one broker. What tells clients where the broker is, tells them where the wire begins."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self._moved = tuple(HOST + struct.pack(">i", port) for port in (target, self.port))

    def _passed(self, data: Iterator[bytes], client: socket, direction: str) -> Iterator[bytes]:
        for frame in _frames(data):
            yield frame.replace(*self._moved)


class Clerk(Wire):
    """A wire to a cluster of one broker, on which topics can be made and deleted.

    The broker is asked for its versions instead, and the answer becomes one to what was asked. It names no controller, so that is done here, too.
    """

    def __init__(self, servers: Cluster) -> None:
        super().__init__(servers.ports[0])
        self._servers = servers
        self._answers: dict[tuple[socket, int], Callable[[bytes], bytes]] = {}

    def _passed(self, data: Iterator[bytes], client: socket, direction: str) -> Iterator[bytes]:
        turned = self._asked if direction == "in" else self._answered
        for frame in super()._passed(data, client, direction):
            yield turned(client, frame)

    def _asked(self, client: socket, frame: bytes) -> bytes:
        _, kind, _, number = REQUEST.unpack_from(frame)
        if kind == VERSIONS:
            self._answers[client, number] = _with_topics
        if kind not in (CREATE, DELETE):
            return frame
        fields = Fields(frame[REQUEST.size :])
        name = fields.text()
        topics = list(_topics(fields, kind))
        for topic, partitions in topics:
            self._servers.delete(topic) if kind == DELETE else self._servers.make(topic, partitions)
        done = b"".join(_text(topic) + bytes(2) for topic, _ in topics)
        self._answers[client, number] = lambda _: struct.pack(">i", len(topics)) + done
        return _framed(REQUEST.pack(0, VERSIONS, 0, number)[4:] + _text(name))

    def _answered(self, client: socket, frame: bytes) -> bytes:
        (number,) = struct.unpack_from(">i", frame, 4)
        turned = self._answers.pop((client, number), None)
        if turned is not None:
            return _framed(frame[4:8] + turned(frame[8:]))
        return NO_CONTROLLER.sub(b"\\g<1>\0\0\0\x01", frame)


class Fields:
    """What stands in a request, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self, kind: str) -> int:
        (number,) = struct.unpack_from(f">{kind}", self._data)
        self._data = self._data[struct.calcsize(f">{kind}") :]
        return int(number)

    def text(self) -> str:
        length = max(0, self.number("h"))
        text, self._data = self._data[:length], self._data[length:]
        return text.decode()


def _topics(fields: Fields, kind: int) -> Iterator[tuple[str, int]]:
    """Yield topics, and how many partitions they shall have."""
    for _ in range(fields.number("i")):
        topic = fields.text()
        partitions = 0
        if kind == CREATE:
            partitions = fields.number("i")
            fields.number("h")
            assert fields.number("i") == 0, "no assignments of partitions to brokers"
            for _ in range(fields.number("i")):
                fields.text(), fields.text()
        yield topic, partitions


def _with_topics(versions: bytes) -> bytes:
    """Add to what the broker can do, in the first version of that answer, that topics are made and deleted, in the first version of both."""
    error, count = struct.unpack_from(">hi", versions)
    more = b"".join(struct.pack(">hhh", kind, 0, 0) for kind in (CREATE, DELETE))
    return versions if error else struct.pack(">hi", error, count + 2) + more + versions[6:]


def _framed(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _frames(data: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a stream where Kafka does: each frame begins with its length."""
    rest = b""
    for each in data:
        rest += each
        while len(rest) >= 4 and len(rest) >= (end := 4 + int.from_bytes(rest[:4], "big")):
            yield rest[:end]
            rest = rest[end:]

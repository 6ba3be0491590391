"""What is special about Kafka, as far as the mock cluster of librdkafka shows it: offsets, groups that change, and a cluster that refuses."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from stamp import Workflow
from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError, InputError, UnroutableError
from stamp.runtime.publisher import Publisher
from stamp.runtime.staff import topology_of
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Arrival, Directory, Parcel, Receiver, Sender
from stamp.runtime.transports.documents import DOCUMENT_TYPE, directory_name
from stamp.runtime.worker import Worker
from stamp.store.message import Message
from stamp.store.store import Store

confluent_kafka = pytest.importorskip("confluent_kafka")

from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: E402 - only with the library

from stamp.runtime.transports.kafka import Kafka  # noqa: E402 - the same
from stamp.runtime.transports.kafka.address import Address  # noqa: E402 - the same
from stamp.runtime.transports.kafka.progress import LONGEST, Mark, Progress, undone  # noqa: E402 - the same

from .transports.kafka_cluster import Cluster, cluster  # noqa: E402 - the same

PATIENCE = 20.0
SESSION = 1.3

# Kinds of requests and errors, by their numbers in the protocol.
PRODUCE, OFFSET_COMMIT, OFFSET_FETCH = 0, 8, 9
MSG_SIZE_TOO_LARGE, NOT_ENOUGH_REPLICAS, REBALANCE_IN_PROGRESS = 10, 19, 27
TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, POLICY_VIOLATION = 29, 30, 44


class Stage:
    """A workflow of two steps on the mock cluster."""

    def __init__(self, stack: ExitStack, servers: Cluster, name: str) -> None:
        self._stack = stack
        self.cluster = servers
        self.topology = Topology.of(name, {"billing": ["Paid"], "search": ["Paid", "Found"]})
        self.billing, self.search = (queue.name for queue in self.topology.queues)
        for topic in (self.billing, self.search):
            servers.make(topic)
            servers.make(f"{topic}.dead")

    def transport(self, options: str = "") -> Kafka:
        return Kafka(f"kafka://{self.cluster.servers}?check=no&session={SESSION}{options}")

    def sender(self, options: str = "") -> Sender:
        sender = self.transport(options).sender(self.topology)
        self._stack.callback(sender.close)
        return sender

    def receiver(self, *queues: str, prefetch: int = 1000, options: str = "") -> Receiver:
        receiver = self.transport(options).receiver(self.topology, queues or [self.billing], prefetch=prefetch)
        self._stack.callback(receiver.close)
        return receiver

    def parcel(self, run: str = "4729", body: bytes = b"body", *queues: str, **headers: str) -> Parcel:
        message = Message(self.topology.exchange, run, "Paid", uuid.uuid4().bytes, body, headers)
        return Parcel(message, queues or (self.billing,))

    def publish(self, *parcels: Parcel) -> None:
        assert send(self.sender(), *parcels) == [None] * len(parcels)

    def committed(self, queue: str) -> dict[int, tuple[int, str | None]]:
        """What the cluster knows, as another program sees it."""
        with_group = {"bootstrap.servers": self.cluster.servers, "group.id": f"stamp.{queue}", "log_level": 0}
        consumer = Consumer(with_group)
        told = consumer.committed([TopicPartition(queue, number) for number in range(4)], timeout=PATIENCE)
        consumer.close()
        return {each.partition: (each.offset, each.metadata) for each in told if each.offset >= 0}


def send(sender: Sender, *parcels: Parcel) -> Sequence[DeliveryError | None]:
    sender.post(parcels)
    return sender.confirm(PATIENCE)


def take(receiver: Receiver, count: int, within: float = PATIENCE) -> list[Arrival]:
    taken = collect(receiver, count, within)
    assert len(taken) == count, f"{len(taken)} messages came within {within} s, not {count}"
    return taken


def collect(receiver: Receiver, count: int, within: float) -> list[Arrival]:
    taken: list[Arrival] = []
    end = time.monotonic() + within
    while len(taken) < count and time.monotonic() < end:
        taken += receiver.receive(0.1)
    return taken


def bodies(arrivals: Sequence[Arrival]) -> list[bytes]:
    return [each.body for each in arrivals]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def stage(stack, name) -> Stage:
    return Stage(stack, cluster(), name)


@pytest.fixture
def own(stack, name) -> Stage:
    """A stage on a cluster of its own, to be maltreated."""
    servers = Cluster(3)
    stack.callback(servers.close)
    return Stage(stack, servers, name)


# -- records


def test_a_run_stays_in_one_partition_and_in_order_and_the_runs_are_shared_out(stage):
    runs = [f"run-{number % 20}" for number in range(200)]
    stage.publish(*(stage.parcel(run, b"%03d" % number) for number, run in enumerate(runs)))
    arrivals = take(stage.receiver(), 200)
    partitions, order = defaultdict(set), defaultdict(list)
    for each in arrivals:
        run = runs[int(each.body)]
        partitions[run].add(each.tag.polled.partition())
        order[run].append(each.body)
    assert {len(each) for each in partitions.values()} == {1}
    assert len(set.union(*partitions.values())) == 4
    assert all(each == sorted(each) for each in order.values())


def test_the_partition_of_a_run_is_the_one_that_java_gives_it(stage):
    # -973932308, -790332482, -985981536 and -1486304829 in UtilsTest.testMurmur2 of Kafka, made positive, modulo 4.
    expected = {"21": 0, "foobar": 2, "a-little-bit-long-string": 0, "a-little-bit-longer-string": 3}
    stage.publish(*(stage.parcel(run, run.encode()) for run in expected))
    arrivals = take(stage.receiver(), len(expected))
    assert {each.body.decode(): each.tag.polled.partition() for each in arrivals} == expected


def test_what_belongs_to_no_run_has_no_key(stage):
    stage.publish(stage.parcel(""))
    (arrival,) = take(stage.receiver(), 1)
    assert arrival.tag.polled.key() is None


def test_headers_are_utf_8_as_cloudevents_wants_them(stage):
    stage.publish(stage.parcel(**{"ce-id": "1", "Ünïcødé": "日本語"}))
    (arrival,) = take(stage.receiver(), 1)
    assert arrival.tag.polled.headers() == [
        ("ce-id", b"1"),
        ("Ünïcødé", "日本語".encode()),
        ("content-type", CONTENT_TYPE.encode()),
        ("content-encoding", b"binary"),
    ]


def test_a_record_without_anything_arrives_and_is_buried_with_the_headers_that_are_text(stage):
    other = Producer({"bootstrap.servers": stage.cluster.servers, "log_level": 0})
    other.produce(stage.billing, None, b"key", headers=[("a", b"\xff"), ("a", None), ("a", b"2")])
    assert other.flush(PATIENCE) == 0
    receiver = stage.receiver()
    (arrival,) = take(receiver, 1)
    assert (arrival.body, arrival.headers, arrival.content_type) == (b"", {"a": "2"}, None)
    receiver.bury(arrival, "no envelope")
    (letter,) = records(stage, f"{stage.billing}.dead", 1)
    assert (letter.key(), letter.value()) == (b"key", None)
    assert letter.headers() == [("a", b"2"), ("stamp-reason", b"no envelope")]
    receiver.bury(arrival, "again")
    assert len(records(stage, f"{stage.billing}.dead", 2, within=0.5)) == 1


def test_a_record_that_is_too_large_with_a_reason_is_a_letter_that_says_where_it_stays(stage):
    other = Producer({"bootstrap.servers": stage.cluster.servers, "log_level": 0, "message.max.bytes": 2 * 10**6})
    other.produce(stage.billing, b"x" * 1_000_050, partition=2)
    assert other.flush(PATIENCE) == 0
    receiver = stage.receiver()
    (arrival,) = take(receiver, 1)
    receiver.bury(arrival, "no envelope")
    (letter,) = records(stage, f"{stage.billing}.dead", 1)
    said = f"1000050 bytes: they stay in {stage.billing} [2] at offset 0"
    assert letter.headers() == [("stamp-left-out", said.encode()), ("stamp-reason", b"no envelope")]
    assert receiver.receive(0.3) == []


def records(stage: Stage, topic: str, count: int, within: float = PATIENCE) -> list[object]:
    """What is in a topic, for whoever reads it without a group."""
    options = {"bootstrap.servers": stage.cluster.servers, "group.id": uuid.uuid4().hex, "log_level": 0}
    consumer = Consumer(options)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(4)])
    found: list[object] = []
    end = time.monotonic() + within
    while len(found) < count and time.monotonic() < end:
        found += consumer.consume(count, 0.1)
    consumer.close()
    return found


# -- offsets


def test_never_is_more_committed_than_is_acknowledged_in_a_row(stage):
    stage.publish(*(stage.parcel(body=b"%d" % number) for number in range(5)))
    receiver = stage.receiver()
    arrivals = take(receiver, 5)
    (partition,) = {each.tag.polled.partition() for each in arrivals}
    receiver.acknowledge([arrivals[1], arrivals[3]])
    offset, text = stage.committed(stage.billing)[partition]
    assert (offset, text) == (0, "stamp1 5 2,2")
    receiver.acknowledge([arrivals[0]])
    assert stage.committed(stage.billing)[partition][0] == 2
    receiver.acknowledge([arrivals[2], arrivals[4]])
    offset, text = stage.committed(stage.billing)[partition]
    assert (offset, text or "") == (5, "")


def test_what_somebody_else_wrote_into_a_commit_is_passed_over(stage):
    stage.publish(*(stage.parcel(body=b"%d" % number) for number in range(4)))
    other = Consumer({"bootstrap.servers": stage.cluster.servers, "group.id": f"stamp.{stage.billing}", "log_level": 0})
    partition = take(stage.receiver(options="&group=other"), 4)[0].tag.polled.partition()
    other.commit(offsets=[TopicPartition(stage.billing, partition, 2, "stamp1 x 1,y")], asynchronous=False)
    other.close()
    assert bodies(take(stage.receiver(), 2)) == [b"2", b"3"]


def test_another_group_is_another_service_with_the_same_messages(stage):
    stage.publish(stage.parcel())
    for group in ("one", "two"):
        receiver = stage.receiver(options=f"&group={group}")
        receiver.acknowledge(take(receiver, 1))


# A log is a list of offsets; one in three is missing, as after a transaction of somebody else.
LOGS = st.lists(st.integers(1, 3), min_size=1, max_size=60).map(
    lambda steps: [sum(steps[:end]) for end in range(len(steps))]
)


@given(LOGS, st.data())
def test_nothing_is_lost_and_nothing_that_was_committed_as_done_comes_again(log, data):
    done, mark = set(), None
    for _ in range(data.draw(st.integers(1, 4))):
        progress = Progress(mark)
        begun = []
        for offset in log:
            if mark is not None and offset < mark.offset:
                assert offset in done, "lost"
                continue
            if data.draw(st.integers(0, 9)) == 0:
                break  # a crash, or the partition moves
            if progress.begin(offset):
                assert offset not in done, "came again"
                begun.append(offset)
        finished = data.draw(st.lists(st.sampled_from(begun), unique=True)) if begun else []
        for offset in finished:
            progress.finish(offset)
        told = progress.uncommitted
        if told is not None:
            progress.commit(told)
            mark = told
            done.update(finished)
            assert progress.uncommitted is None
        assert len(progress) == len(begun) - len(finished)


@given(st.sets(st.integers(0, 2_999), min_size=1, max_size=1500))
def test_a_text_without_room_says_less_and_loses_nothing(open_):
    progress = Progress()
    for offset in range(3_000):
        progress.begin(offset)
    for offset in set(range(3_000)) - open_:
        progress.finish(offset)
    mark = progress.uncommitted
    assert mark is not None
    assert len(mark.text) <= LONGEST
    again = Progress(mark)
    assert open_ <= {offset for offset in range(mark.offset, 3_000) if again.begin(offset)}


@given(st.integers(0, 40), st.sets(st.integers(0, 29)), st.integers(0, 40))
def test_what_is_not_done_is_counted_from_what_was_committed(polled, finished, more):
    progress = Progress()
    for offset in range(polled):
        progress.begin(offset)
    for offset in finished:
        progress.finish(offset)
    mark = progress.uncommitted or Mark(0)
    assert undone(mark, polled + more) == polled + more - len(finished & set(range(polled)))


@pytest.mark.parametrize("text", ["", "stamp1", "stamp1 ", "stamp2 3 1", "anything else", "stamp1 3 1,,x"])
def test_a_text_that_says_nothing_lets_everything_come(text):
    progress = Progress(Mark(5, text))
    assert all(progress.begin(offset) for offset in range(5, 10))


# -- directories


@pytest.fixture
def place(stage, name) -> str:
    """The topic of a directory."""
    stage.cluster.make(directory_name(name), partitions=1)
    return directory_name(name)


@pytest.fixture
def directory(stage, name, place) -> Iterator[Directory]:
    with closing(stage.transport().directory(name)) as directory:
        yield directory


def test_what_is_no_document_is_passed_over(stage, place, directory):
    producer = Producer({"bootstrap.servers": stage.cluster.servers, "log_level": 0})
    content = [("content-type", DOCUMENT_TYPE)]
    for key, value, headers in (
        (b"a", b"1", []),
        (None, b"1", content),
        (b"a", None, content),
        (b"b", b"\xff", content),
    ):
        producer.produce(place, value, key, headers=headers)
    assert producer.flush(PATIENCE) == 0
    assert directory.version() == 4
    assert directory.read() == {"b": "\N{REPLACEMENT CHARACTER}"}


def test_a_document_that_is_too_large_is_told_and_the_next_directory_is_well(stage, name, directory):
    with pytest.raises(DeliveryError, match="keep what is large elsewhere"):
        directory.write({"contract/billing": "x" * 2**20})
    with closing(stage.transport().directory(name)) as again:
        again.write({"contract/billing": "{}"})
        assert again.read() == {"contract/billing": "{}"}


def test_a_directory_with_several_partitions_has_no_order_and_is_refused(stage, name):
    stage.cluster.make(directory_name(name), partitions=2)
    with pytest.raises(DeliveryError, match="expected one partition, got 2"):
        stage.transport().directory(name)


def test_a_directory_that_somebody_else_has_to_make_says_how(stage, name):
    told = rf"there is no topic {directory_name(name)} \(one partition, cleanup.policy=compact\); have it made"
    with pytest.raises(DeliveryError, match=told):
        stage.transport("&create=no").directory(name)


def test_a_directory_that_was_deleted_is_told(stage, place, directory):
    directory.write({"contract/billing": "{}"})
    stage.cluster.delete(place)
    with pytest.raises(DeliveryError, match=place):
        directory.read()


# -- queues that go


def test_what_was_done_is_not_counted_when_a_queue_is_removed(stage):
    stage.publish(*(stage.parcel() for _ in range(5)))
    receiver = stage.receiver()
    first, *_, last = take(receiver, 5)
    receiver.acknowledge([first, last])
    receiver.close()
    with pytest.raises(DeliveryError, match="3"):
        stage.transport().remove(stage.topology, stage.billing, discard=False)
    assert stage.committed(stage.billing)


# -- groups that change


def test_a_second_consumer_takes_partitions_over_and_nothing_is_lost(stage):
    parcels = [stage.parcel(f"run-{number}", b"%03d" % number) for number in range(40)]
    stage.publish(*parcels)
    first = stage.receiver()
    held = take(first, 40)
    second = stage.receiver()
    again: list[Arrival] = []  # the mock may make the first one start afresh
    seen: list[Arrival] = []
    while not seen:  # both have to be there for it, as in life
        again += first.receive(0.05)
        seen += second.receive(0.05)
    moved = {each.tag.polled.partition() for each in seen}
    first.acknowledge(held)
    assert not moved & stage.committed(stage.billing).keys(), "what was taken over was acknowledged by who lost it"
    quiet_at = time.monotonic() + 2 * SESSION
    while time.monotonic() < quiet_at:
        again += first.receive(0.05)
        seen += second.receive(0.05)
    first.acknowledge(again)
    second.acknowledge(seen)
    assert 0 < len(seen) < 40
    assert set(bodies(seen)) < set(bodies(held))
    for each in (first, second):
        each.close()
    assert collect(stage.receiver(), 1, within=SESSION + 1) == []


def test_who_holds_all_it_may_still_lets_others_come_and_goes_on(stage):
    stage.publish(*(stage.parcel(f"run-{number}") for number in range(40)))
    first = stage.receiver(prefetch=2)
    held = take(first, 2)
    second = stage.receiver(prefetch=40)
    seen: list[Arrival] = []
    while len(seen) < 5:
        assert len(first.receive(0.05)) <= 2
        seen += second.receive(0.05)
    end = time.monotonic() + 2 * SESSION
    while time.monotonic() < end:  # longer than it takes to be given up
        first.receive(0.05)
        second.receive(0.05)
    first.acknowledge(held)
    for each in (first, second):
        each.close()


def test_a_limit_that_was_reached_stops_polling_and_nothing_is_skipped(stage):
    stage.publish(*(stage.parcel(f"run-{number}", b"%03d" % number) for number in range(100)))
    receiver = stage.receiver(prefetch=3)
    seen: list[bytes] = []
    while len(seen) < 100:
        held = take(receiver, 3 if len(seen) < 99 else 1)
        for _ in range(3):
            assert not receiver.receive(0.01)
        receiver.acknowledge(held)
        seen += bodies(held)
    assert sorted(seen) == [b"%03d" % number for number in range(100)]


def test_a_commit_while_the_group_changes_is_made_up_for(own):
    own.publish(*(own.parcel() for _ in range(3)))
    receiver = own.receiver()
    arrivals = take(receiver, 3)
    own.cluster.fail(OFFSET_COMMIT, REBALANCE_IN_PROGRESS)
    receiver.acknowledge(arrivals)
    assert own.committed(own.billing) == {}
    receiver.receive(0)
    assert [offset for offset, _ in own.committed(own.billing).values()] == [3]


def test_who_cannot_learn_where_to_go_on_says_so(own):
    own.publish(own.parcel())
    own.cluster.fail(OFFSET_FETCH, GROUP_AUTHORIZATION_FAILED)
    with pytest.raises(DeliveryError, match="allow this user to read the consumer groups"):
        take(own.receiver(), 1)
    assert len(take(own.receiver(), 1)) == 1


def test_a_commit_that_is_refused_for_good_raises(own):
    own.publish(own.parcel())
    receiver = own.receiver()
    arrivals = take(receiver, 1)
    own.cluster.fail(OFFSET_COMMIT, GROUP_AUTHORIZATION_FAILED)
    with pytest.raises(DeliveryError, match="allow this user to read the consumer groups"):
        receiver.acknowledge(arrivals)
    with pytest.raises(DeliveryError, match="open another one"):
        receiver.receive(0)


# -- what is refused


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MSG_SIZE_TOO_LARGE, "max.message.bytes"),
        (TOPIC_AUTHORIZATION_FAILED, "allow this user to read, write"),
        (POLICY_VIOLATION, "Policy violation"),
    ],
)
def test_a_message_that_the_cluster_refuses_has_a_verdict_and_the_next_one_arrives(own, error, said):
    sender = own.sender()
    own.cluster.fail(PRODUCE, error)
    (verdict,) = send(sender, own.parcel())
    assert isinstance(verdict, DeliveryError)
    assert own.billing in str(verdict)
    assert said in str(verdict)
    assert send(sender, own.parcel()) == [None]


def test_headers_that_are_too_large_with_their_body_have_a_verdict(stage):
    sender = stage.sender()
    large = stage.parcel(body=bytes(stage.transport().promises.largest), header="x" * 50_000)
    verdicts = send(sender, stage.parcel(), large, stage.parcel())
    assert [type(each) for each in verdicts] == [type(None), DeliveryError, type(None)]
    assert "headers count, too" in str(verdicts[1])


def test_replicas_that_are_missing_for_a_moment_are_waited_for(own):
    sender = own.sender()
    own.cluster.fail(PRODUCE, *[NOT_ENOUGH_REPLICAS] * 3)
    assert send(sender, own.parcel()) == [None]


def test_replicas_that_stay_missing_end_the_sender(own):
    sender = own.sender()
    own.cluster.fail(PRODUCE, *[NOT_ENOUGH_REPLICAS] * 10_000)
    sender.post([own.parcel()])
    with pytest.raises(DeliveryError, match="no report of 1 messages in time"):
        sender.confirm(0.5)
    own.cluster.forgive(PRODUCE)
    with pytest.raises(DeliveryError, match="open another one"):
        sender.confirm(PATIENCE)


def test_one_of_several_queues_that_is_not_there_is_told_and_the_others_have_it(stage):
    parcel = stage.parcel("4729", b"body", stage.billing, "nobody")
    (verdict,) = send(stage.sender(), parcel._replace(again=True))
    assert isinstance(verdict, UnroutableError)
    assert len(take(stage.receiver(), 1)) == 1


def test_a_topic_that_was_deleted_is_told(own):
    sender = own.sender()
    own.publish(own.parcel())
    own.cluster.delete(own.billing)
    (verdict,) = send(sender, own.parcel())
    assert isinstance(verdict, UnroutableError)
    assert "connect again" in str(verdict)


def test_a_topic_that_is_not_there_is_not_made_by_accident(stage, name):
    topology = Topology.of(name, {"billing": ["Paid"], "new": ["Paid"]})
    with pytest.raises(DeliveryError, match=rf"there is no topic {name}\.new, {name}\.new\.dead; have it made"):
        stage.transport("&create=no").sender(topology)
    with pytest.raises(DeliveryError, match=r"have it made, and say \?create=no"):
        stage.transport("&timeout=1").sender(topology)  # the mock cannot make any


def test_a_topic_with_fewer_replicas_than_promised_is_refused(stage):
    with pytest.raises(DeliveryError):
        Kafka(f"kafka://{stage.cluster.servers}?create=no&timeout=1").sender(stage.topology)


# -- a cluster that is gone


def test_a_cluster_that_is_gone_for_a_moment_is_waited_for(own):
    sender, receiver = own.sender(), own.receiver()
    own.publish(own.parcel(body=b"1"))
    receiver.acknowledge(take(receiver, 1))
    own.cluster.stop()
    sender.post([own.parcel(body=b"2")])
    own.cluster.start()
    assert sender.confirm(PATIENCE) == [None]
    assert bodies(take(receiver, 1)) == [b"2"]


@pytest.mark.slow  # each of them gives it two seconds; what is noticed in less is in the suite of all transports
def test_a_cluster_that_is_gone_is_noticed_by_all(own):
    busy, idle, receiver = own.sender(), own.sender(), own.receiver()
    own.publish(own.parcel())
    arrivals = take(receiver, 1)
    own.cluster.stop()
    with pytest.raises(DeliveryError, match="refused"):
        send(busy, own.parcel())
    with pytest.raises(DeliveryError):
        take(receiver, 1)
    with pytest.raises(DeliveryError, match="open another one"):
        receiver.acknowledge(arrivals)
    with pytest.raises(DeliveryError):
        until_it_raises(lambda: idle.confirm(0))
    with pytest.raises(DeliveryError, match="refused"):
        own.sender()


def until_it_raises(use: Callable[[], object]) -> None:
    while True:
        use()


# -- workers


class Number(BaseModel):
    value: int


class Doubled(BaseModel):
    value: int


class Noted(BaseModel):
    value: int


def doubling(name: str, noted: list[int]) -> Workflow:
    workflow = Workflow(name, contracts="/nowhere")
    workflow.starts("number", Number, emits="Given")

    @workflow.step(on="Given", emits="Doubled")
    def doubled(number: Number) -> Doubled:
        return Doubled(value=2 * number.value)

    @workflow.step(on="Doubled", emits="Noted")
    def noting(doubled: Doubled) -> Noted:
        noted.append(doubled.value)
        return Noted(value=doubled.value)

    return workflow


@pytest.mark.parametrize("has_store", [True, False])
def test_a_workflow_runs_from_the_first_event_to_the_last(own, name, tmp_path, has_store):
    noted: list[int] = []
    workflow = doubling(f"{name}-whole", noted)
    for queue in topology_of(workflow).queues:
        own.cluster.make(queue.name)
        own.cluster.make(f"{queue.name}.dead")
    own.cluster.make(directory_name(workflow.name), partitions=1)
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(f"sqlite:///{tmp_path}/stamp.db")) if has_store else None
        with Publisher(workflow, broker=own.transport(), store=store) as publisher:
            publisher.publish(*(workflow.start(Number(value=each), workflow_id=str(each)) for each in range(50)))
        with Worker(workflow, broker=own.transport(), store=store) as worker:
            end = time.monotonic() + 2 * PATIENCE
            while len(noted) < 50 and time.monotonic() < end:
                time.sleep(0.05)
        assert worker.failure is None
    assert sorted(noted) == [2 * each for each in range(50)]


def test_without_a_store_a_single_broker_is_not_enough(own, name):
    workflow = doubling(f"{name}-lossy", [])
    with pytest.raises(InputError, match="expected a store beside kafka://"):
        Worker(workflow, broker=own.transport("&replication=1"))


# -- addresses


def test_an_address_has_what_is_in_the_url():
    address = Address.parse(
        "kafkas://u:p%40@a:1,[::1]:2,c?session=6&replication=5&ssl.ca.location=/ca.pem&sasl=SCRAM-SHA-512"
    )
    assert str(address) == "kafkas://a:1,[::1]:2,c:9092"
    assert (address.session, address.replication, address.insync) == (6.0, 5, 4)
    told = address.client()
    assert told["security.protocol"] == "SASL_SSL"
    assert (told["sasl.username"], told["sasl.password"], told["sasl.mechanism"]) == ("u", "p@", "SCRAM-SHA-512")
    assert told["ssl.ca.location"] == "/ca.pem"
    assert "p@" not in repr(address)


def test_what_is_left_out_has_the_usual_value():
    address = Address.parse("kafka://")
    assert (str(address), address.replication, address.insync) == ("kafka://localhost:9092", 3, 2)
    assert address.client()["security.protocol"] == "PLAINTEXT"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka://host/topic", "expected a URL such as"),
        ("kafka://host:port", "expected a URL such as"),
        ("kafka://host:1,:2", "expected a URL such as"),
        ("kafka://[::1", "expected a URL such as"),
        ("kafka://host?session=soon", "number of seconds for session"),
        ("kafka://host?session=0", "between"),
        ("kafka://host?replication=0", "from 1 to 100"),
        ("kafka://host?partitions=many", "from 1 to"),
        ("kafka://host?create=perhaps", "yes or no"),
        ("kafka://host?acks=1", "takes the options"),
        ("kafka://host?enable.auto.commit=true", "cannot be set"),
        ("kafka://host?enable.idempotence=false", "cannot be set"),
    ],
)
def test_an_address_that_cannot_be_used(url, said):
    with pytest.raises(InputError, match=said) as caught:
        Kafka(url.replace("//", "//user:secret@"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "option", ["no.such.setting=1", "linger.ms=soon", "ssl.key.location=/nowhere&ssl.key.password=secret"]
)
def test_a_setting_that_librdkafka_does_not_know_is_told(stage, option):
    transport = Kafka(f"kafkas://user:secret@{stage.cluster.servers}?{option}")
    for connect in (
        lambda: transport.sender(stage.topology),
        lambda: transport.receiver(stage.topology, [stage.billing], prefetch=1),
    ):
        with pytest.raises(InputError, match="librdkafka refuses") as caught:
            connect()
        assert "secret" not in str(caught.value)


def test_what_is_promised_follows_from_the_url():
    assert Kafka("kafka://host").promises.keeps
    assert not Kafka("kafka://host?replication=1").promises.keeps
    assert not Kafka("kafka://host?replication=2").promises.keeps
    assert Kafka("kafka://host?replication=2&insync=2").promises.keeps
    assert Kafka("kafka://host?session=6").promises.redelivers == 16

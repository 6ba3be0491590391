"""What is special about brokers without a server: memory, folders and databases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text

from stamp.envelope.limits import LIMITS
from stamp.errors import DeliveryError, InputError
from stamp.runtime.arrival import opened
from stamp.runtime.brokers import transport
from stamp.runtime.graveyard import Wanted
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Arrival, Parcel
from stamp.runtime.transports.filesystem import Filesystem, documents, files
from stamp.runtime.transports.filesystem.place import FolderPlace
from stamp.runtime.transports.memory import Memory
from stamp.runtime.transports.sql import Sql
from stamp.runtime.transports.virtual.access import Access
from stamp.runtime.transports.virtual.content import Content
from stamp.runtime.transports.virtual.receiver import VirtualReceiver
from stamp.store.message import Message
from stamp.url import Secrets

from ..store.conftest import POSTGRESQL  # noqa: TID252 - tests are no package that could be imported by its name

TOPOLOGY = Topology.of("ticket", {"billing": ["Paid"], "search": ["Paid"]})
BILLING, SEARCH = (queue.name for queue in TOPOLOGY.queues)


def publish(transport, *bodies: bytes, queues=(BILLING,)):
    sender = transport.sender(TOPOLOGY)
    sender.post([Parcel(Message("ticket", "1", "Paid", body.ljust(16), body, {}), queues) for body in bodies])
    assert not any(sender.confirm(5))
    sender.close()


def receiver(transport, *queues: str, prefetch: int = 10):
    return transport.receiver(TOPOLOGY, queues or (BILLING,), prefetch=prefetch)


def take(receiver, count: int, seconds: float = 10) -> list[Arrival]:
    arrivals: list[Arrival] = []
    end = time.monotonic() + seconds
    while len(arrivals) < count and time.monotonic() < end:
        arrivals += receiver.receive(0.1)
    assert len(arrivals) == count
    return arrivals


def bodies(arrivals):
    return [each.body for each in arrivals]


# -- what is written down

TEXTS = st.none() | st.text()
HEADERS = st.dictionaries(st.text(), st.text(), max_size=3)


@given(st.builds(Content, st.binary(), HEADERS, TEXTS, TEXTS, st.none()))
def test_what_is_packed_is_unpacked(content):
    assert Content.unpacked(content.packed()) == content


@given(
    st.binary()
    | st.sampled_from([b"[{},1,2]\nx", b'["a","b","c"]\n', b"[[],null,null]\n", b"[" * 100_000, b"7\n", b"\n"])
    | st.sampled_from([984, 985, 990, 1000]).map(lambda depth: b'[{"a":' + b"[" * depth)
)
def test_what_is_not_ours_is_all_body(data):
    assert Content.unpacked(data) == Content(data, {}, None, None)


ENDING = b', "application/vnd.stamp.envelope.v1+avro", "binary"]\n'
LINES = [
    (b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "RecursionError"),
    (b'[{"a":' + 10_000 * b"7" + b"}", "ValueError: Exceeds the limit"),
    (b'[{"a":"' + 2**21 * b"x" + b'"}', "expected at most 1048576 bytes of headers in JSON"),
    (b"[{'a':'b'}", "JSONDecodeError"),
    (b'[{"a":"\xff"}', "UnicodeDecodeError"),
    (b"[null", "expected an object of headers in JSON, got null"),
    (b"[[1,2]", "got a list"),
    (b'["x"', "got a string"),
    (b"[7", "got a number"),
    (b"[true", "got a boolean"),
    (b'[{}, "more"', "expected a list of headers, a content type and an encoding"),
    (b"", "JSONDecodeError"),
]


@pytest.mark.parametrize(("line", "said"), LINES, ids=[said for _, said in LINES])
def test_a_message_of_ours_whose_headers_cannot_be_read_says_why(line, said):
    found = Content.unpacked(line + ENDING + b"body\nof it")
    assert found[:4] == (b"body\nof it", {}, "application/vnd.stamp.envelope.v1+avro", "binary")
    assert said in (found.unreadable or "")


def test_why_headers_cannot_be_read_is_the_reason_of_the_dead_letter(carrier):
    transport, inject = carrier
    publish(transport)
    inject(b"[null" + ENDING + b"body")
    consumer = receiver(transport)
    (odd,) = take(consumer, 1)
    _, refused = opened(odd, "ticket", LIMITS)
    assert str(refused) == (
        "expected headers and properties that can be read: expected an object of headers in JSON, got null"
    )
    consumer.bury(odd, f"no-envelope: {refused}")
    with transport.graveyard([BILLING]) as graveyard:
        (letter,) = graveyard.find(Wanted())
        assert (letter.message.body, letter.message.headers) == (b"body", {})


@pytest.fixture(params=["folder", "sqlite"])
def carrier(request, tmp_path):
    """Return a transport, and what puts bytes of others where it keeps messages."""
    if request.param == "folder":
        box = tmp_path / "queues" / "waiting" / f"{BILLING}.queue"
        return Filesystem(f"filesystem://{tmp_path}/queues"), (box / "1-x.0").write_bytes
    url = f"sqlite:///{tmp_path}/x.db"

    def inject(data: bytes) -> None:
        with create_engine(url).begin() as tx:
            tx.execute(
                text("INSERT INTO stamp_queued (queue, content) VALUES (:queue, :content)"),
                {"queue": BILLING, "content": data},
            )

    return Sql(f"sqla+{url}"), inject


# -- memory


def test_brokers_in_memory_are_told_apart_by_their_names(name):
    publish(Memory(f"memory://{name}"), b"one")
    assert not receiver(Memory(f"memory://{name}-other")).receive(0)
    assert bodies(take(receiver(Memory(f"memory://{name}")), 1)) == [b"one"]


def test_a_waiting_receiver_wakes_when_something_comes(name):
    transport = Memory(f"memory://{name}")
    waiting = receiver(transport)
    thread = threading.Thread(target=publish, args=(transport, b"one"))
    thread.start()
    assert bodies(waiting.receive(60)) == [b"one"]
    thread.join()


def test_what_is_given_back_to_memory_stands_where_it_stood(name):
    transport = Memory(f"memory://{name}")
    publish(transport, b"1", b"2", b"3", b"4")
    first = receiver(transport, prefetch=3)
    first.acknowledge(take(first, 3)[1:2])
    first.close()
    again = take(receiver(transport), 3)
    assert [(each.body, each.deliveries) for each in again] == [(b"1", 2), (b"3", 2), (b"4", 1)]


@pytest.mark.parametrize("url", ["memory://a/b", "memory://?a=b"])
def test_an_address_of_memory_is_a_name(url):
    with pytest.raises(InputError, match="memory://name"):
        Memory(url)


# -- a folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "some" / "queues"


@pytest.fixture
def spool(folder) -> Filesystem:
    return Filesystem(f"filesystem://{folder}")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_relative_folder_is_one_of_where_the_process_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    transport = Filesystem("filesystem://my%20queues")
    publish(transport, b"one")
    assert (tmp_path / "my queues" / "waiting").is_dir()
    assert transport.address == f"filesystem://{tmp_path}/my queues"


@pytest.mark.parametrize("url", ["filesystem://", "filesystem:/x", "file:///x"])
def test_an_address_of_a_folder(url):
    with pytest.raises(InputError, match="filesystem:///var/spool/orders"):
        Filesystem(url)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="Not a directory"):
        Filesystem(f"filesystem://{tmp_path}/file/queues").sender(TOPOLOGY)


def test_a_folder_that_is_removed_is_noticed_by_all(spool, folder):
    sender, consumer = spool.sender(TOPOLOGY), receiver(spool)
    shutil.rmtree(folder)
    sender.post([Parcel(Message("w", "1", "Paid", b"1" * 16, b"", {}), (BILLING,))])
    (verdict,) = sender.confirm(1)
    assert isinstance(verdict, DeliveryError)
    with pytest.raises(DeliveryError, match="No such file"):
        consumer.receive(1)
    with pytest.raises(DeliveryError, match="open it again"):
        consumer.receive(1)
    consumer.close()
    publish(spool, b"one")
    assert bodies(take(receiver(spool), 1)) == [b"one"]


def test_nothing_stays_in_the_folder_when_all_is_acknowledged_and_closed(spool, folder):
    publish(spool, b"1", b"2", queues=(BILLING, SEARCH))
    consumer = receiver(spool, BILLING, SEARCH)
    consumer.acknowledge(take(consumer, 4))
    consumer.close()
    assert files_in(folder) == []
    assert list((folder / "taken").iterdir()) == []


def test_what_is_being_written_is_not_seen(spool, folder):
    publish(spool, b"one")
    (folder / "tmp" / "half").write_bytes(b"hal")
    assert bodies(take(receiver(spool), 1)) == [b"one"]
    assert (folder / "tmp" / "half").exists()


def test_what_a_killed_writer_left_is_removed_in_time(spool, folder):
    spool.sender(TOPOLOGY)
    old, new = folder / "tmp" / "old", folder / "tmp" / "new"
    old.touch()
    new.touch()
    os.utime(old, (0, time.time() - files.ABANDONED - 1))
    receiver(spool).receive(0)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_file_of_somebody_else_arrives_as_a_body_and_comes_again(spool, folder):
    spool.sender(TOPOLOGY)
    (folder / "waiting" / f"{BILLING}.queue" / "note.txt").write_bytes(b"hello")
    for deliveries in (1, 2):
        consumer = receiver(spool)
        (arrival,) = take(consumer, 1)
        consumer.close()
        assert (arrival.body, arrival.content_type, arrival.deliveries) == (b"hello", None, deliveries)


def test_queues_may_have_any_name_and_stay_in_the_folder(spool, folder):
    names = ("..", ".", "a/b", "/etc/passwd", "ü\n", "a%2Fb")
    topology = Topology("odd", tuple(type(TOPOLOGY.queues[0])(each, each, ("E",)) for each in names))
    sender = spool.sender(topology)
    sender.post([Parcel(Message("odd", "1", "E", b"1" * 16, b"body", {}), names)])
    assert sender.confirm(5) == [None]
    consumer = spool.receiver(topology, names, prefetch=10)
    assert sorted(each.queue for each in take(consumer, len(names))) == sorted(names)
    assert len(files_in(folder)) == len(names) + 1
    assert {path.name for path in folder.iterdir()} == {"waiting", "taken", "tmp"}


def test_a_directory_may_have_any_name_and_stays_in_the_folder(spool, folder):
    names = ("..", ".", "a/b", "/etc/passwd", "ü\n", "a%2Fb", "a@b")
    for name in names:
        spool.directory(name).write({name: name})
    assert [spool.directory(name).read() for name in names] == [{name: name} for name in names]
    assert {path.name for path in folder.iterdir()} == {"waiting", "taken", "tmp", "documents"}
    assert len(files_in(folder)) == len(names)


def test_a_document_may_have_a_longer_name_than_a_file(spool):
    key = f"schema/{'0' * 32}/{'s' * 100}/{'N' * 200}.v1.avsc"
    spool.directory("ticket").write({key: "text"})
    assert spool.directory("ticket").read() == {key: "text"}


def test_a_document_that_was_replaced_stays_for_a_while(spool, folder, monkeypatch):
    directory = spool.directory("ticket")
    for written in ("first", "second", "third"):
        directory.write({"contract/billing": written, "listener/billing": "[]"})
    assert len(files_in(folder)) == 6
    monkeypatch.setattr(documents, "REPLACED", -1)
    directory.write({"contract/billing": "fourth"})
    assert len(files_in(folder)) == 2
    assert directory.read() == {"contract/billing": "fourth", "listener/billing": "[]"}


def test_the_last_document_counts_though_the_clock_goes_backwards(spool, monkeypatch):
    directory = spool.directory("ticket")
    times = iter((3, 3, 2, 2, 1, 1))
    monkeypatch.setattr(documents.time, "time_ns", lambda: next(times))
    versions = {directory.version()}
    for written in ("first", "second", "third"):
        directory.write({"contract/billing": written})
        versions.add(directory.version())
        assert directory.read() == {"contract/billing": written}
    assert len(versions) == 4


def test_files_of_somebody_else_are_no_documents(spool, folder):
    directory = spool.directory("ticket")
    directory.write({"contract/billing": "{}"})
    (home,) = (folder / "documents").iterdir()
    for name in ("notes.txt", "contract%2Fbilling@1-2", "@"):
        (home / name).write_text("hello")
    assert directory.read() == {"contract/billing": "{}"}


HOLDER = """
import sys
from stamp.runtime.topology import Topology
from stamp.runtime.transports.filesystem import Filesystem
receiver = Filesystem(sys.argv[1]).receiver(Topology.of("ticket", {"billing": ["Paid"]}), ["ticket.billing"], prefetch=5)
held = receiver.receive(10)
print(len(held), flush=True)
sys.stdin.read()
"""


def test_a_living_process_keeps_what_it_holds_and_a_dead_one_nothing(spool, monkeypatch):
    monkeypatch.setattr(FolderPlace, "beat", 0.05)
    publish(spool, b"1", b"2", b"3")
    command = [sys.executable, "-c", HOLDER, spool.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "3\n"
        consumer = receiver(spool)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert not consumer.receive(0.1)
        holder.kill()
    assert [(each.body, each.deliveries) for each in take(consumer, 3)] == [(b"1", 2), (b"2", 2), (b"3", 2)]


def test_a_holder_that_was_killed_while_it_closed_is_cleared_away(spool, folder):
    publish(spool, b"1")
    (folder / "taken" / "gone.holder").mkdir()
    half = folder / "taken" / "half.holder"
    (half / f"{BILLING}.queue").mkdir(parents=True)
    (half / "lock").touch()
    (half / f"{BILLING}.queue" / "5.1").write_bytes(Content(b"0", {}, None, None).packed())
    consumer = receiver(spool)
    assert sorted(bodies(take(consumer, 2))) == [b"0", b"1"]
    assert len(list((folder / "taken").iterdir())) == 1


# -- a database


@pytest.fixture
def database(tmp_path) -> Path:
    return tmp_path / "queues.db"


@pytest.fixture
def sql(database) -> Sql:
    return Sql(f"sqla+sqlite:///{database}?redeliver=1")


def rows(database: Path) -> int:
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM stamp_queued")).scalar_one()
    engine.dispose()
    return count


def test_no_row_stays_when_all_is_acknowledged(sql, database):
    publish(sql, b"1", b"2", queues=(BILLING, SEARCH))
    consumer = receiver(sql, BILLING, SEARCH)
    consumer.acknowledge(take(consumer, 4))
    assert rows(database) == 0


def test_a_receiver_that_falls_silent_loses_what_it_holds_and_does_not_take_it_back(sql):
    publish(sql, b"1", b"2")
    silent = receiver(sql)
    lost = take(silent, 2)
    other = receiver(sql)
    again = take(other, 2)
    assert [each.deliveries for each in again] == [2, 2]
    assert not silent.receive(0)  # it says that it is at work on them, which they are not any more
    silent.bury(lost[0], "too late")
    silent.close()
    assert not receiver(sql).receive(0.1)
    other.acknowledge(again)


def test_what_is_not_renewed_in_time_and_nobody_else_took_does_not_arrive_again(sql):
    publish(sql, b"1", b"2")
    place = sql._open()
    place._lease = 0.0  # each is over as soon as it has begun
    slow = VirtualReceiver(Access(place, sql.address, Secrets()), [BILLING], prefetch=10)
    first, second = take(slow, 2)
    for _ in range(3):
        assert not slow.receive(0)
    slow.acknowledge([first])
    slow.bury(second, "a reason")
    slow.close()
    with sql.graveyard([BILLING]) as graveyard:
        assert [each.message.body for each in graveyard.find(Wanted())] == [b"2"]
    assert not receiver(sql).receive(0)


def test_a_receiver_that_goes_on_receiving_keeps_what_it_holds(sql, monkeypatch):
    now = [time.time()]
    clock = SimpleNamespace(time=lambda: now[0])
    monkeypatch.setattr("stamp.runtime.transports.sql.place.time", clock)
    monkeypatch.setattr("stamp.runtime.transports.virtual.receiver.monotonic", clock.time)
    publish(sql, b"1")
    holder, other = receiver(sql), receiver(sql)
    take(holder, 1)
    for _ in range(20):
        now[0] += 0.9  # of the second after which it would count as dead
        assert not holder.receive(0)
        assert not other.receive(0)
    now[0] += 1.1
    assert bodies(other.receive(0)) == [b"1"]


PUBLISH = """
import sys
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.sql import Sql
from stamp.store.message import Message

topology = Topology.of("ticket", {"billing": ["Paid"], "search": ["Paid"]})
body = sys.argv[2].encode()
sender = Sql(f"sqla+sqlite:///{sys.argv[1]}").sender(topology)
sender.post([Parcel(Message("ticket", "1", "Paid", body.ljust(16), body, {}), ("ticket.billing",))])
assert not any(sender.confirm(5))
"""


@pytest.mark.parametrize("until", ["'soon'", "x'00'", "9e999", "1e300"])
def test_a_lease_that_nobody_can_have_taken_holds_nothing(database, until):
    carrier = Sql(f"sqla+sqlite:///{database}")
    publish(carrier, b"one", b"two")
    with create_engine(f"sqlite:///{database}").begin() as tx:
        tx.execute(text(f"UPDATE stamp_queued SET held_until = {until} WHERE number = 1"))
    consumer = receiver(carrier)
    assert bodies(take(consumer, 2)) == [b"one", b"two"]
    assert not receiver(carrier).receive(0)


def test_many_may_be_the_first(database):
    processes = [subprocess.Popen([sys.executable, "-c", PUBLISH, str(database), each]) for each in "012"]
    assert [each.wait(60) for each in processes] == [0, 0, 0]
    consumer = receiver(Sql(f"sqla+sqlite:///{database}"))
    assert sorted(bodies(take(consumer, 3))) == [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqla+sqlite://", "expected a file"),
        ("sqla+sqlite:///:memory:", "expected a file"),
        ("sqla+mysql://u:secret@host/db", "begins with mysql"),
        ("sqla+sqlite:///x.db?redeliver=soon", "seconds for redeliver, got soon"),
        ("sqla+sqlite:///x.db?redeliver=nan", "seconds for redeliver"),
        ("sqla+sqlite:///x.db?redeliver=0", "between 1 and 86400"),
        ("sqla+nonsense", "no URL"),
    ],
)
def test_an_address_of_a_database_that_cannot_be_used(url, said):
    with pytest.raises(InputError, match=said) as error:
        Sql(url)
    assert "secret" not in str(error.value)


MISTAKES = [
    ("sqla+sqlite:///{}/no/such/folder/x.db", "unable to open"),
    ("sqla+sqlite:///{}", "unable to open"),
    ("sqla+sqlite:///{}/notes.txt", "not a database"),
    ("sqla+sqlite:///{}/x.db?timeout=soon", "could not convert"),
    ("sqla+sqlite:///{}/x.db?nonsense=1", "takes the options"),
    ("sqla+sqlite:////proc/x.db", "unable to open"),
    ("sqla+postgresql://127.0.0.1:1/x?sslmode=nonsense", "invalid sslmode value"),
    ("sqla+postgresql://127.0.0.1:1/x?keepalives_idle=soon", "invalid integer value"),
    ("sqla+postgresql://127.0.0.1:1/x?connect_timeout=soon", "connect_timeout"),
    ("sqla+postgresql://127.0.0.1:1/x?nonsense=1", "nonsense"),
    ("filesystem://{}/notes.txt", "File exists"),
    ("filesystem://{}/notes.txt/x", "Not a directory"),
    ("filesystem:///proc", "No such file"),
    ("filesystem:///proc/1/x", "No such file"),
    ("filesystem://{}/" + 300 * "x", "too long"),
]


@pytest.mark.parametrize(("url", "said"), MISTAKES)
def test_a_url_that_no_waiting_mends_is_a_mistake(tmp_path, url, said):
    (tmp_path / "notes.txt").write_bytes(b"no database " * 1_000)
    carrier = transport(url.format(tmp_path))
    openings = (
        lambda: carrier.sender(TOPOLOGY),
        lambda: receiver(carrier),
        lambda: carrier.directory("ticket"),
        lambda: carrier.graveyard([BILLING]),
    )
    for opening in openings:
        with pytest.raises(InputError, match=f"{said}.*no waiting mends that"):
            opening()


def test_what_may_be_mended_by_waiting_is_no_mistake(tmp_path):
    (tmp_path / "later").symlink_to(tmp_path / "mount")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "waiting").write_text("in the way")
    late = make_url(POSTGRESQL).set(database="not_there_yet").render_as_string(hide_password=False)
    urls = [
        f"filesystem://{tmp_path}/later",
        f"filesystem://{tmp_path}/later/x",
        f"filesystem://{tmp_path}/folder",
        f"sqla+{late}",
        "sqla+postgresql://127.0.0.1:1/x",
    ]
    for url in urls:
        with pytest.raises(DeliveryError, match="cannot be used"):
            transport(url).sender(TOPOLOGY)


def test_a_url_that_was_of_use_is_no_mistake_any_more(tmp_path):
    folder, file = tmp_path / "queues", tmp_path / "data" / "x.db"
    file.parent.mkdir()
    carriers = Filesystem(f"filesystem://{folder}"), Sql(f"sqla+sqlite:///{file}")
    for carrier in carriers:
        carrier.sender(TOPOLOGY).close()
    shutil.rmtree(folder)
    shutil.rmtree(file.parent)
    folder.write_text("in the way")
    for carrier in carriers:
        with pytest.raises(DeliveryError, match="cannot be used"):
            carrier.sender(TOPOLOGY)


def test_what_is_promised_follows_from_the_url():
    assert Sql("sqla+sqlite:///x.db?redeliver=5").promises.redelivers == 6

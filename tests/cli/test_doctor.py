"""Each trap is told by whoever stands in it, with what to set; and nothing is left where a probe was."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import amqp
import pytest
from rich.cells import cell_len

from stamp.cli.render import examination as render
from stamp.errors import DeliveryError
from stamp.ripple.example import files
from stamp.runtime.directories import Directories, Kept, StoreDirectories
from stamp.runtime.doctor import contracts, disk, kafka, promises, rabbitmq, rabbitmq_queues, redis, sqlite, work
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, release
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel, Promises
from stamp.runtime.transports.rabbitmq import RabbitMQ
from stamp.store import dead_letters, inbox, outbox
from stamp.store.letter import Letter
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.workflow.announcement import folder_documents, listener_document
from tests.runtime.transports.kafka_cluster import Cluster
from tests.runtime.transports.proxy import Proxy

LARGEST = 262_144


def states(diagnoses) -> dict[str, str]:
    return {each.what: each.state.value for each in diagnoses}


def of(diagnoses, what: str) -> Diagnosis:
    [found] = [each for each in diagnoses if each.what == what]
    return found


def all_are_ok(diagnoses) -> bool:
    return set(states(diagnoses).values()) == {"ok"}


class TestRabbitMQ:
    def test_all_is_well_and_nothing_is_left(self, rabbitmq):
        url, name, channel = rabbitmq
        found = list(rabbitmq_examined(url, name))
        assert all_are_ok(found)
        assert [each.what for each in found] == [
            "connection",
            "version",
            "heartbeat",
            "headers",
            "queues",
            "confirms",
            "unroutable events",
            "large events",
            "alarms",
        ]
        for each in (f"{name}.probe", f"{name}.probe.dead"):
            assert is_missing(channel, lambda channel, queue=each: channel.queue_declare(queue, passive=True))
        assert is_missing(channel, lambda channel: channel.exchange_declare(name, "topic", passive=True))

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("amqp://guest:secret@127.0.0.1:1", "Connection refused"),
            ("amqp://guest:secret@127.0.0.1", "ACCESS_REFUSED"),
            ("amqp://guest:guest@127.0.0.1/nowhere", "nowhere not found"),
        ],
    )
    def test_no_connection_is_one_problem(self, rabbitmq, url, said):
        [found] = rabbitmq_examined(url, "shop")
        assert (found.what, found.state) == ("connection", State.PROBLEM)
        assert said in found.found
        assert "secret" not in found.found

    def test_a_heartbeat_that_is_long_is_told(self, rabbitmq):
        url, name, _ = rabbitmq
        found = of(rabbitmq_examined(f"{url}?heartbeat=60", name), "heartbeat")
        assert found.state is State.OK  # the broker wants no more than that

    def test_a_broker_that_blocks_publishers_is_a_problem(self, rabbitmq, proxied):
        url, name, _ = rabbitmq
        proxy = proxied(url)
        examination = rabbitmq_examined(f"amqp://guest:guest@127.0.0.1:{proxy.port}", name)
        assert next(examination).what == "connection"
        reason = b"low on memory"
        blocked = struct.pack(">HHB", 10, 60, len(reason)) + reason
        proxy.say(struct.pack(">BHI", 1, 0, len(blocked)) + blocked + b"\xce")
        found = list(examination)
        assert of(found, "alarms").state is State.PROBLEM
        assert "confirms" not in states(found)

    def test_a_connection_that_is_lost_is_a_problem_and_what_was_made_is_removed(self, rabbitmq, proxied):
        url, name, channel = rabbitmq
        proxy = proxied(url)
        examination = rabbitmq_examined(f"amqp://guest:guest@127.0.0.1:{proxy.port}", name)
        found = [next(examination) for _ in range(5)]
        assert found[-1].what == "queues"
        proxy.cut_connections()
        found += examination
        assert of(found[1:], "connection").found.startswith("lost: ")
        assert is_missing(channel, lambda channel: channel.queue_declare(f"{name}.probe", passive=True))

    def test_an_alternate_exchange_that_swallows_is_a_problem(self, rabbitmq):
        url, name, channel = rabbitmq
        channel.exchange_declare(f"{name}-others", "fanout", auto_delete=False)
        channel.queue_declare(f"{name}.parcel", arguments={"x-queue-type": "quorum"}, durable=True, auto_delete=False)
        channel.queue_bind(f"{name}.parcel", f"{name}-others")
        arguments = {"alternate-exchange": f"{name}-others"}
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False, arguments=arguments)
        try:
            found = list(rabbitmq_examined(url, name))
            assert states(found)["queues"] == "problem"  # an argument of ours cannot be, and a policy is not for tests
            assert "inequivalent arg 'alternate-exchange'" in of(found, "queues").found
        finally:
            channel.exchange_delete(f"{name}-others")


class TestQueuesOfRabbitMQ:
    def test_what_is_not_there_is_told_and_not_made(self, rabbitmq):
        url, name, channel = rabbitmq
        found = list(rabbitmq_queues.examine(url, topology(name)))
        assert states(found) == dict.fromkeys(
            [name, f"{name}.payment.dead", f"{name}.payment", f"{name}.parcel.dead", f"{name}.parcel"], "warning"
        )
        assert is_missing(channel, lambda channel: channel.queue_declare(f"{name}.payment", passive=True))

    def test_what_workers_made_is_well(self, rabbitmq):
        url, name, _ = rabbitmq
        RabbitMQ(url).sender(topology(name)).close()
        found = list(rabbitmq_queues.examine(url, topology(name)))
        assert all_are_ok(found)
        assert of(found, f"{name}.payment").found == "0 messages wait, consumers: 0"

    def test_work_without_anybody_to_do_it_and_dead_letters_are_told(self, rabbitmq):
        url, name, _ = rabbitmq
        sender = RabbitMQ(url).sender(topology(name))
        message = Message(name, "1", "Ordered", bytes(16), b"body", {})
        sender.post([Parcel(message, (f"{name}.payment", f"{name}.payment.dead"), again=True)])
        assert sender.confirm(10) == [None]
        found = list(rabbitmq_queues.examine(url, topology(name)))
        sender.close()
        assert of(found, f"{name}.payment") == Diagnosis(
            f"{name}.payment",
            State.WARNING,
            "1 messages wait, consumers: 0",
            "nobody works on them: stamp run ... --step payment",
        )
        assert (
            of(found, f"{name}.payment.dead").advice == f"see them: stamp dlq list --broker ... --queue {name}.payment"
        )
        receiver = RabbitMQ(url).receiver(topology(name), [f"{name}.payment"], prefetch=1)
        assert of(rabbitmq_queues.examine(url, topology(name)), f"{name}.payment").state is State.OK
        receiver.close()

    def test_a_queue_of_another_type_is_a_problem(self, rabbitmq):
        url, name, channel = rabbitmq
        channel.queue_declare(f"{name}.payment", durable=True, auto_delete=False)
        channel.exchange_declare(name, "fanout", durable=True, auto_delete=False)
        found = list(rabbitmq_queues.examine(url, topology(name)))
        for each in (f"{name}.payment", name):
            assert of(found, each).state is State.PROBLEM
            assert "exists with other properties than ours" in of(found, each).found


def rabbitmq_examined(url: str, name: str) -> Iterator[Diagnosis]:
    return rabbitmq.examine(url, name=name, largest=LARGEST)


def topology(name: str) -> Topology:
    return Topology.of(name, {"payment": ["Ordered"], "parcel": ["Paid"]})


def is_missing(channel: amqp.Channel, look: Callable[[amqp.Channel], object]) -> bool:
    try:
        look(channel.connection.channel())
    except amqp.NotFound:
        return True
    return False


@pytest.fixture
def proxied() -> Iterator[Callable[[str], Proxy]]:
    with ExitStack() as stack:

        def begin(url: str) -> Proxy:
            proxy = Proxy(int(url.rpartition(":")[2].partition("/")[0]))
            stack.callback(proxy.cut)
            return proxy

        yield begin


class Server:
    """A Redis of our own, whose settings may be wrong."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
        while True:
            try:
                self.say("PING")
            except ConnectionRefusedError:
                assert self.process.poll() is None
                time.sleep(0.01)
            else:
                break

    def say(self, *command: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            words = "".join(f"${len(each)}\r\n{each}\r\n" for each in command)
            connection.sendall(f"*{len(command)}\r\n{words}".encode())
            return connection.recv(1 << 20)

    def examined(self, user: str = "") -> list[Diagnosis]:
        return list(redis.examine(f"redis://{user}127.0.0.1:{self.port}", name="shop-doctor", largest=LARGEST))


@pytest.fixture
def start(require, tmp_path) -> Iterator[Callable[..., Server]]:
    require("redis-server")
    with ExitStack() as stack:

        def started(*options: str) -> Server:
            server = Server(tmp_path, *options)
            stack.callback(server.process.wait)
            stack.callback(server.process.kill)
            return server

        yield started


class TestRedis:
    def test_all_is_well_and_nothing_is_left(self, start):
        server = start("--appendonly", "yes", "--maxmemory", "500mb", "--maxmemory-policy", "noeviction")
        found = server.examined()
        assert all_are_ok(found)
        assert "appendfsync everysec" in of(found, "append-only file").found
        assert server.say("DBSIZE") == b":0\r\n"

    @pytest.mark.parametrize(
        ("options", "what", "state", "found"),
        [
            ([], "append-only file", "warning", "none"),
            (["--appendonly", "yes", "--appendfsync", "no"], "append-only file", "warning", "appendfsync no"),
            (["--appendonly", "yes", "--appendfsync", "always"], "append-only file", "ok", "appendfsync always"),
            (["--maxmemory-policy", "allkeys-lru"], "maxmemory-policy", "warning", "allkeys-lru"),
            (["--maxmemory-policy", "allkeys-lru", "--maxmemory", "9mb"], "maxmemory-policy", "problem", "allkeys-lru"),
            (["--cluster-enabled", "yes"], "cluster", "problem", "a cluster"),
            (["--replicaof", "127.0.0.1 1"], "role", "problem", "slave"),
            (["--requirepass", "x"], "connection", "problem", "check user and password"),
        ],
    )
    def test_a_trap_is_told(self, start, options, what, state, found):
        diagnosis = of(start(*options).examined(), what)
        assert diagnosis.state.value == state
        assert found in diagnosis.found
        assert bool(diagnosis.advice) is (state != "ok" and what != "connection")

    @pytest.mark.parametrize(("filled", "state"), [(1_000_000, "ok"), (3_300_000, "warning"), (4_200_000, "problem")])
    def test_memory_that_is_short_is_told(self, start, filled, state):
        server = start("--maxmemory", "5mb")
        server.say("SETRANGE", "shop", str(filled), "x")
        assert of(server.examined(), "memory").state.value == state

    def test_a_disk_that_cannot_be_written_is_a_problem(self, start, tmp_path):
        server = start("--dbfilename", "dump.rdb")
        server.say("CONFIG", "SET", "rdbcompression", "no")
        (tmp_path / "dump.rdb").mkdir()
        server.say("SET", "shop", "1")
        server.say("BGSAVE")
        for _ in range(500):
            if b"rdb_last_bgsave_status:err" in server.say("INFO", "persistence"):
                break
            time.sleep(0.01)
        found = of(server.examined(), "persistence")
        assert (found.state, found.found) == (State.PROBLEM, "rdb_last_bgsave_status err")

    def test_a_user_who_may_not_use_streams_is_told(self, start):
        server = start()
        rights = ["~stamp:*", "+info", "+del", "+xgroup", "+config|get"]
        server.say("ACL", "SETUSER", "ada", "on", ">secret", *rights)
        found = server.examined("ada:secret@")
        assert of(found, "streams").state is State.PROBLEM
        assert "allow this user what docs/security.md states" in of(found, "streams").found
        assert server.say("DBSIZE") == b":0\r\n"

    def test_a_user_who_may_do_no_more_than_workers_must_is_well(self, start):
        server = start("--appendonly", "yes")
        rights = ["~stamp:*", "+@stream", "+multi", "+exec", "+eval", "+info"]
        server.say("ACL", "SETUSER", "ada", "on", ">secret", *rights)
        found = server.examined("ada:secret@")
        assert "not tried" in of(found, "streams").found
        assert "CONFIG is not allowed" in of(found, "append-only file").found
        assert server.say("DBSIZE") == b":0\r\n"

    def test_the_streams_of_a_workflow_are_looked_at(self, start):
        server = start()
        url = f"redis://127.0.0.1:{server.port}?redeliver=1"
        assert set(states(redis.examine_queues(url, topology("shop"))).values()) == {"warning"}
        assert server.say("DBSIZE") == b":0\r\n"
        server.say("XGROUP", "CREATE", "stamp:shop.payment", "stamp", "0", "MKSTREAM")
        server.say("XADD", "stamp:shop.payment", "*", "body", "x")
        server.say("SET", "stamp:shop.parcel", "no stream")
        found = list(redis.examine_queues(url, topology("shop")))
        waits = of(found, "stamp:shop.payment")
        assert (waits.state, waits.found) == (State.WARNING, "1 messages wait or are worked on, consumers: 0")
        assert of(found, "stamp:shop.parcel").state is State.PROBLEM
        server.say("XREADGROUP", "GROUP", "stamp", "worker", "STREAMS", "stamp:shop.payment", ">")
        assert of(redis.examine_queues(url, topology("shop")), "stamp:shop.payment").state is State.OK


class TestSQLite:
    def test_all_is_well_and_nothing_is_left(self, tmp_path):
        found = list(sqlite.examine(tmp_path / "stamp.db"))
        assert all_are_ok([each for each in found if each.what != "commits"])
        assert list(tmp_path.iterdir()) == []

    def test_a_database_that_is_in_use_is_looked_at_too(self, tmp_path):
        with Store.open(f"sqlite:///{tmp_path / 'stamp.db'}") as store, store.begin():
            found = list(sqlite.examine(tmp_path / "stamp.db"))
        assert of(found, "file").found == "another process can open it"
        assert "of write-ahead log" in of(found, "size").found

    def test_a_folder_that_is_not_there_is_a_problem(self, tmp_path):
        found = list(sqlite.examine(tmp_path / "nowhere/stamp.db"))
        assert of(found, "folder").state is State.PROBLEM

    def test_a_folder_that_cannot_be_written_is_a_problem(self):
        found = list(sqlite.examine(Path("/proc/stamp.db")))
        assert of(found, "database").state is State.PROBLEM

    def test_what_is_no_database_is_a_problem(self, tmp_path):
        (tmp_path / "stamp.db").write_bytes(b"no database" * 500)
        assert of(sqlite.examine(tmp_path / "stamp.db"), "file").found == "file is not a database"

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("ext4", None),
            ("xfs", None),
            ("btrfs", None),
            ("overlay", None),
            ("fuseblk", None),
            ("nfs", disk.REMOTE),
            ("nfs4", disk.REMOTE),
            ("cifs", disk.REMOTE),
            ("smb3", disk.REMOTE),
            ("9p", disk.REMOTE),
            ("fuse.sshfs", disk.REMOTE),
            ("ceph", disk.REMOTE),
            ("fuse.mergerfs", disk.UNSURE),
            ("virtiofs", disk.UNSURE),
            ("tmpfs", disk.UNSURE),
        ],
    )
    def test_kinds_of_file_systems(self, kind, expected):
        fitting = [each for each in (disk.REMOTE, disk.UNSURE) if each.fullmatch(kind)]
        assert fitting[:1] == ([] if expected is None else [expected])

    @pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="this system has no file system in memory there")
    def test_a_file_system_in_memory_is_told(self):
        assert disk.file_system(Path("/dev/shm")) == "tmpfs"
        assert of(disk.examine(Path("/dev/shm")), "file system").state is State.WARNING


class TestPostgreSQL:
    def examined(self, url: str, **options: str) -> list[Diagnosis]:
        from stamp.runtime.doctor import postgresql
        from stamp.store.address import address

        where = address(url)
        path = str(where.query["options"])
        settings = "".join(f" -c{name}={value}" for name, value in options.items())
        where = where.update_query_dict({"options": path + settings})
        return list(postgresql.examine(where, name="stamp_doctor_probe"))

    def test_nothing_is_wrong_with_what_a_connection_can_set_and_nothing_is_left(self, postgresql):
        for _ in range(2):
            found = self.examined(postgresql)
            assert State.PROBLEM not in {each.state for each in found}
        expected = {"connection", "version", "fsync", "synchronous_commit", "max_connections", "clock", "commits"}
        assert expected <= set(states(found))

    @pytest.mark.parametrize(
        ("setting", "value", "state"),
        [
            ("synchronous_commit", "off", "problem"),
            ("synchronous_commit", "local", "ok"),
            ("default_transaction_read_only", "on", "problem"),
            ("statement_timeout", "900", "warning"),
            ("idle_in_transaction_session_timeout", "5000", "warning"),
            ("idle_in_transaction_session_timeout", "120000", "ok"),
            ("default_transaction_isolation", "serializable", "ok"),
        ],
    )
    def test_a_trap_is_told(self, postgresql, setting, value, state):
        found = self.examined(postgresql, **{setting: value})
        assert of(found, setting).state.value == state

    def test_a_user_who_may_not_make_tables_is_told(self, postgresql):
        found = self.examined(postgresql, default_transaction_read_only="on")
        assert of(found, "tables").state is State.PROBLEM
        assert "GRANT CREATE" in of(found, "tables").advice

    def test_no_connection_is_one_problem(self, stamp, here):
        done = stamp("doctor", "--store", "postgresql://ada:secret@127.0.0.1:1/shop", "--format", "json")
        assert done.exit_code == 1
        [examination] = json.loads(done.stdout)["examinations"]
        assert [each["what"] for each in examination["diagnoses"]] == ["connection"]
        assert "secret" not in done.output


NOW = 1_790_000_000_000_000
MINUTE = 60_000_000


def message(number: int = 1) -> Message:
    return Message("shop", "1", "Ordered", bytes([number]) * 16, b"body", {})


def worked(database: str, *, consumers=None, has_broker=True, now: int = NOW) -> list[Diagnosis]:
    return list(work.examine(database, consumers=consumers, has_broker=has_broker, clock=lambda: now))


class TestWork:
    def test_a_store_that_nobody_has_used_is_no_problem_and_stays_as_it_is(self, database):
        for _ in range(2):
            [found] = worked(database)
            assert (found.what, found.state) == ("tables", State.WARNING)

    def test_nothing_is_well(self, database):
        Store.open(database).close()
        assert states(worked(database)) == {"tables": "ok", "backlog": "ok", "outbox": "ok"}

    @pytest.mark.parametrize(
        ("change", "found", "advice"),
        [
            ("UPDATE stamp_edition SET edition = 1", "are of edition 1", ""),
            ("UPDATE stamp_edition SET edition = 9", "install the later release", ""),
            ("DELETE FROM stamp_edition", "expected one number in the table stamp_edition", ""),
            ("INSERT INTO stamp_edition VALUES (1)", "got [3, 1]: restore the database", ""),
            ("DROP TABLE stamp_start", "lack what this release needs: stamp_start;", "a worker makes new ones"),
            ("DROP TABLE stamp_inbox", "lack what this release needs: stamp_inbox;", "the release that made them"),
            ("ALTER TABLE stamp_outbox DROP COLUMN sends", "needs: stamp_outbox.sends;", "the release that made them"),
        ],
    )
    def test_tables_of_another_state_are_one_problem(self, database, change, found, advice):
        with Store.open(database) as store, store.begin() as tx:
            tx.exec_driver_sql(change)
        [told] = work.examine(database, consumers=None, has_broker=True, clock=lambda: 0)
        assert (told.what, told.state) == ("tables", State.PROBLEM)
        assert found in told.found
        assert advice in told.advice

    @pytest.mark.parametrize(
        "row",
        [
            "stamp_inbox (arrived_at, consumer, event_id, workflow, workflow_id, event) VALUES ('2020-01-01', 'a', x'00', 't', '1', 'E')",
            "stamp_inbox (arrived_at, consumer, event_id, workflow, workflow_id, event) VALUES (1, x'ff', x'00', 't', '1', 'E')",
            "stamp_directory (workflow, key, document, announced_at) VALUES ('t', 'd', x'ff', 1)",
        ],
    )
    def test_rows_of_another_format_are_told(self, tmp_path, row):
        url = f"sqlite:///{tmp_path}/stamp.db"
        with Store.open(url) as store, store.begin() as tx:
            tx.exec_driver_sql(f"INSERT INTO {row}")
        [told] = work.examine(url, consumers=None, has_broker=True, clock=lambda: 0)
        assert (told.what, told.state) == ("tables", State.PROBLEM)
        assert told.found == f"rows of {row.split()[0]} that are not of the format of this release: 1"
        assert told.advice.startswith("no worker can use them")

    @pytest.mark.parametrize(("minutes", "state"), [(1, "ok"), (6, "warning")])
    def test_work_that_waits_for_long_is_told(self, database, minutes, state):
        with Store.open(database) as store, store.begin() as tx:
            inbox.put(tx, [("shop.payment", message())], now=NOW - minutes * MINUTE)
        found = of(worked(database), "shop.payment")
        assert found.state.value == state
        assert found.found == f"1 wait, 0 at work; the first has been there for 0:0{minutes}:00"
        assert ("stamp run ... --step payment" in found.advice) is (state == "warning")

    def test_work_for_nobody_in_the_workflow_is_told(self, database):
        with Store.open(database) as store, store.begin() as tx:
            inbox.put(tx, [("shop.payment", message()), ("shop.parcel", message())], now=NOW)
        found = worked(database, consumers={"shop.payment"})
        assert of(found, "shop.payment").state is State.OK
        assert "was it renamed" in of(found, "shop.parcel").advice
        with StoreDirectories(Store.open(database), lambda: NOW) as announced:
            announced.write("shop", listener_document("parcel", ["Ordered"]))
        assert of(worked(database, consumers={"shop.payment"}), "shop.parcel").state is State.OK

    @pytest.mark.parametrize(
        ("minutes", "waits", "state"), [(2, True, "ok"), (4, True, "warning"), (4, False, None), (None, True, "ok")]
    )
    def test_work_for_a_listener_that_nobody_announces_any_more_is_told(self, database, minutes, waits, state):
        with Store.open(database) as store:
            if minutes is not None:
                long_ago = NOW - minutes * MINUTE
                StoreDirectories(store, lambda: long_ago).write("shop", listener_document("payment", ["Ordered"]))
            with store.begin() as tx:
                inbox.put(tx, [("shop.payment", message())] if waits else [], now=NOW)
        found = worked(database)
        assert states(found).get("shop.payment") == state
        if state == "warning":
            each = of(found, "shop.payment")
            assert each.found.endswith("no worker has announced itself for 0:04:00")
            assert "stamp contracts remove payment --workflow shop --store ... --discard" in each.advice

    def test_dead_letters_are_told(self, database):
        with Store.open(database) as store, store.begin() as tx:
            dead_letters.bury(tx, "shop.payment", message(), Letter("no-envelope", "", ""), now=NOW)
        advice = [each.advice for each in worked(database) if each.found == "1 dead letters"]
        assert advice == ["see them: stamp dlq list --queue shop.payment"]

    def test_other_content_under_a_known_id_is_a_problem(self, database):
        with Store.open(database) as store, store.begin() as tx:
            dead_letters.bury(tx, "shop.payment", message(), Letter("used-event-id", "", ""), now=NOW)
        [told] = [each for each in worked(database) if each.state == "problem"]
        assert told.what == "shop.payment"
        assert told.found == "1 of its dead letters have an id under which other content was taken before"
        assert "stamp dlq list --queue shop.payment" in told.advice

    @pytest.mark.parametrize(
        ("seconds", "sends", "has_broker", "state"),
        [(5, 0, True, "ok"), (90, 3, True, "warning"), (90, 10, True, "problem"), (5, 0, False, "problem")],
    )
    def test_events_without_a_receipt_are_told(self, database, seconds, sends, has_broker, state):
        with Store.open(database) as store, store.begin() as tx:
            outbox.put(tx, [(message(), "shop.payment")], now=NOW - seconds * 1_000_000, resend_at=0)
            for _ in range(sends):
                outbox.sent(tx, [(message().event_id, "shop.payment")], resend_at=0)
        found = of(worked(database, has_broker=has_broker), "outbox")
        assert found.state.value == state
        assert f"sent {sends} times at most" in found.found

    def test_work_that_waits_for_a_schema_is_told(self, database):
        with Store.open(database) as store, store.begin() as tx:
            inbox.put(tx, [("shop.payment", message())], now=NOW)
            [work] = inbox.take(tx, ["shop.payment"], limit=1, now=NOW, lease=1)
            inbox.postpone(tx, work, until=NOW, error="UnknownSchemaError: add the contract of order")
        [told] = [each for each in worked(database) if "schema" in each.found]
        assert (told.what, told.state) == ("shop.payment", State.WARNING)
        assert (told.found, told.advice) == (
            "1 of them wait for a schema that is not known",
            "add the contract of order",
        )

    def test_a_clock_that_is_ahead_is_told(self, database):
        with Store.open(database) as store, store.begin() as tx:
            inbox.put(tx, [("shop.payment", message())], now=NOW + 2 * MINUTE)
        assert of(worked(database), "clock").found == "work has arrived 0:02:00 from now"


STEP = {"on": ["Ordered"], "emits": {"Paid": "Payment"}, "writes": {"Payment.v1": {"sum": "long"}}}
WIDER = STEP | {"writes": STEP["writes"] | {"Payment.v2": {"sum": "long", "note": "string"}}}
OTHER = STEP | {"writes": STEP["writes"] | {"Payment.v2": {"sum": "long", "text": "string"}}}


def lay(folder: Path, step) -> Path:
    for name, text in files({"payment": step}, workflow="shop").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder


class Announced:
    """A directory with these documents; None if it cannot be used."""

    address = "here"

    def __init__(self, documents: dict[str, str] | None) -> None:
        self.documents = documents

    def read(self, workflow: str) -> dict[str, Kept]:
        if self.documents is None:
            raise DeliveryError("not allowed")
        return {key: Kept(text) for key, text in self.documents.items()}


class TestContracts:
    def examined(self, tmp_path, here, documents) -> list[Diagnosis]:
        place: Directories = Announced(documents)
        return list(contracts.examine(place, "shop", lay(tmp_path / "here", here), option="--store ..."))

    @pytest.mark.parametrize(
        ("here", "there", "what", "state", "found"),
        [
            (STEP, STEP, "contracts", "ok", "1 steps are announced, none otherwise"),
            (STEP, WIDER, "contract of payment", "warning", "Payment.v2.avsc"),
            (STEP, STEP | {"on": ["Other"]}, "contract of payment", "warning", "step.json"),
            (WIDER, STEP, "contract of payment", "ok", "Payment.v2"),
            (OTHER, WIDER, "contract of payment", "warning", "got "),
        ],
    )
    def test_what_is_announced_is_held_against_the_folder(self, tmp_path, here, there, what, state, found):
        documents = folder_documents(lay(tmp_path / "there", there) / "shop/payment")
        [told] = self.examined(tmp_path, here, documents)
        assert (told.what, told.state.value) == (what, state)
        assert found in told.found

    def test_steps_that_the_folder_does_not_have_are_no_difference(self, tmp_path):
        documents = {
            "contract/other/step.json": json.dumps({"workflow": "shop", "step": "other", "on": [], "emits": {}})
        }
        assert all_are_ok(self.examined(tmp_path, STEP, documents))

    def test_where_nothing_is_announced_nothing_is_said(self, tmp_path):
        assert self.examined(tmp_path, STEP, {}) == []

    def test_a_directory_that_cannot_be_used_is_a_problem(self, tmp_path):
        [told] = self.examined(tmp_path, STEP, None)
        assert (told.what, told.state, told.found) == ("directory", State.PROBLEM, "not allowed")

    def test_documents_that_nobody_can_use_are_told(self, tmp_path):
        told = of(self.examined(tmp_path, STEP, {"contract/a/step.json": "{"}), "directory")
        assert told.state is State.WARNING
        assert "stamp contracts list --workflow shop --store ..." in told.advice

    def test_documents_that_nobody_can_use_are_told_without_a_workflow(self, stamp, tmp_path, here):
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        with StoreDirectories(Store.open(url), lambda: NOW) as place:
            place.write("shop", {"listener/stock": "abc"})
        found = json.loads(stamp("doctor", "--store", url, "--format", "json").stdout)
        told = [each["found"] for one in found["examinations"] for each in one["diagnoses"]]
        assert "1 documents of shop that nobody can use" in told

    def test_it_is_told_of_store_and_broker(self, stamp, tmp_path, here, small):
        url, broker = f"sqlite:///{tmp_path / 'shop.db'}", f"filesystem://{tmp_path / 'broker'}"
        for place in ("--store", url), ("--broker", broker):
            assert stamp("export", f"{small}:order").exit_code == 0
            assert stamp("contracts", "push", *place).exit_code == 0
        done = stamp("doctor", f"{small}:order", "--store", url, "--broker", broker, "--format", "json")
        told = [each["diagnoses"][-1]["found"] for each in json.loads(done.stdout)["examinations"]]
        assert told == ["2 steps are announced, none otherwise than in schemas"] * 2


KEEPS = Promises(keeps=True, returns=True, redelivers=30.0, buries=True, between_processes=True, largest=1_000_000)


@pytest.mark.parametrize(
    ("change", "store", "expected"),
    [
        ({}, None, {}),
        ({"keeps": False}, None, {"promise": "problem"}),
        ({"keeps": False}, "file", {"promise": "warning"}),
        ({"keeps": False}, "server", {}),
        ({"returns": False}, "server", {"missing queues": "warning"}),
        ({"redelivers": None}, "server", {"redelivery": "problem"}),
        ({"buries": False}, "server", {}),
        ({"buries": False}, None, {"dead letters": "problem"}),
        ({"between_processes": False}, "file", {"processes": "problem"}),
        ({"largest": 1_000}, "file", {"size of events": "problem"}),
    ],
)
def test_what_a_broker_does_not_promise_is_told(change, store, expected):
    found = promises.examine(
        replace(KEEPS, **change), largest=LARGEST, has_store=store is not None, is_shared=store == "server"
    )
    assert {what: state for what, state in states(found).items() if state != "ok"} == expected


class TestKafka:
    def test_a_cluster_is_looked_at_and_no_topic_is_made(self):
        cluster = Cluster(1)
        try:
            cluster.make("shop.payment")
            cluster.make("shop.payment.dead")
            url = f"kafka://{cluster.servers}?replication=1&insync=1&check=no"
            for _ in range(2):
                found = list(kafka.examine(url, topology("shop")))
                assert states(found) == {
                    "connection": "ok",
                    "brokers": "ok",
                    "insync": "warning",
                    "shop.payment": "ok",
                    "shop.parcel": "warning",
                }
            found = list(kafka.examine(f"kafka://{cluster.servers}?replication=3&insync=2&check=no", None))
            assert states(found) == {"connection": "ok", "brokers": "problem", "insync": "ok"}
        finally:
            cluster.close()

    def test_no_connection_is_one_problem(self):
        [found] = kafka.examine("kafka://127.0.0.1:1?timeout=1", None)
        assert (found.what, found.state) == ("connection", State.PROBLEM)


SHOP = """
from pydantic import BaseModel
from stamp import Workflow

shop = Workflow("shop")

class Order(BaseModel):
    customer: str

shop.starts("order", Order, emits="Ordered")

@shop.step(on="Ordered", emits="Paid")
def payment(order: Order) -> Order:
    return order
"""


@pytest.fixture
def shop(here: Path) -> str:
    (here / "shop.py").write_text(SHOP)
    return "shop:shop"


class TestCommand:
    def test_by_default_the_store_is_looked_at_and_not_made(self, stamp, here):
        done = stamp("doctor")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.startswith("store sqlite:///stamp.db\n")
        assert list(here.iterdir()) == []

    def test_the_broker_and_the_store_that_are_set_are_looked_at(self, stamp, here, rabbitmq, shop, monkeypatch):
        monkeypatch.setenv("STAMP_BROKER", rabbitmq[0])
        done = stamp("doctor", shop, "--format", "json")
        document = json.loads(done.stdout)
        assert [each["subject"] for each in document["examinations"]] == ["broker", "store"]
        looked_at = {each["what"]: each["state"] for each in document["examinations"][0]["diagnoses"]}
        assert looked_at["confirms"] == "ok"
        assert "shop.payment" in looked_at
        assert "guest:guest" not in done.output

    def test_json_says_everything(self, stamp, here):
        (here / "stamp.db").write_bytes(b"no database" * 500)
        done = stamp("doctor", "--format", "json")
        document = json.loads(done.stdout)
        assert done.exit_code == 1
        assert document.keys() == {"version", "failed", "summary", "examinations"}
        assert (document["version"], document["failed"]) == (1, True)
        diagnoses = [each for examination in document["examinations"] for each in examination["diagnoses"]]
        assert {state: sum(each["state"] == state for each in diagnoses) for state in State} == document["summary"]
        assert all(each.keys() == {"what", "state", "found", "advice"} for each in diagnoses)

    def test_text_says_how_many_are_how(self, stamp, here):
        (here / "stamp.db").write_bytes(b"no database" * 500)
        done = stamp("doctor")
        assert done.exit_code == 1
        assert " problem  file " in done.stdout
        assert done.stdout.splitlines()[-1].endswith("2 problems")

    @pytest.mark.parametrize("columns", [20, 40, 80, 120])
    def test_no_line_is_wider_than_the_terminal(self, stamp, here, monkeypatch, columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = stamp("doctor")
        assert max(map(cell_len, done.stdout.split("\n"))) <= columns

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--store", "none"], "expected a broker or a store to look at, got neither"),
            (["--broker", "pigeon://secret@x"], "expected the URL of a broker"),
            (["--broker", "amqp://u:secret@x:y"], "expected amqp://user:password@host"),
            (["--store", "mysql://u:secret@x"], "expected the address of a store"),
            (["nowhere:shop"], "expected a module that is installed or in"),
            (["shop"], "expected module:workflow"),
        ],
    )
    def test_what_cannot_be_looked_at_is_one_line(self, stamp, here, arguments, said):
        done = stamp("doctor", *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in done.stderr
        assert "secret" not in done.stderr

    @pytest.mark.parametrize("url", ["memory://", "filesystem://queues", "sqla+sqlite:///queues.db"])
    def test_other_brokers_are_looked_at_and_not_made(self, stamp, here, url):
        done = stamp("doctor", "--broker", url)
        assert done.exit_code == (1 if url == "memory://" else 0)
        assert list(here.iterdir()) == []

    def test_a_store_in_memory_is_a_problem(self, stamp, here):
        done = stamp("doctor", "--store", "sqlite://")
        assert done.exit_code == 1
        assert "other processes cannot see this one" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.10.8", (3, 10, 8)), ("16beta1", (16,)), ("4.0.0-rc.1", (4, 0, 0)), ("?", ()), ("", ())],
)
def test_versions(version, expected):
    assert release(version) == expected


def test_the_first_state_that_holds_counts():
    def state(problem: bool, warning: bool) -> tuple[str, str]:
        found = judged("x", "y", {State.PROBLEM: problem, State.WARNING: warning}, "z")
        return found.state.value, found.advice

    assert state(True, True) == ("problem", "z")
    assert state(False, True) == ("warning", "z")
    assert state(False, False) == ("ok", "")
    assert set(render.STYLES) == set(State)

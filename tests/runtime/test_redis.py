"""What is special about Redis: streams, consumers that die, and a server that refuses, stops or ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError, InputError, UnroutableError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Arrival, Parcel
from stamp.store.message import Message

redis = pytest.importorskip("redis")

from stamp.runtime.transports.redis import Redis  # noqa: E402 - only with the library
from stamp.runtime.transports.redis.address import Address  # noqa: E402 - the same

SERVER = os.environ.get("STAMP_TEST_REDIS", "redis://127.0.0.1:6379/0")

TOPOLOGY = Topology.of("ticket", {"billing": ["Paid"], "search": ["Paid", "Found"], "audit": ["Found"]})
BILLING, SEARCH, AUDIT = (queue.name for queue in TOPOLOGY.queues)


def message(number: int = 1, body: bytes = b"\xc3\x01\x00") -> Message:
    return Message("ticket", "4729", "Paid", number.to_bytes(16, "big"), body, {"ce-subject": "4729"})


def parcels(count: int, *queues: str) -> list[Parcel]:
    return [Parcel(message(number), queues) for number in range(count)]


def publish(transport: Redis, sent: list[Parcel]) -> None:
    sender = transport.sender(TOPOLOGY)
    sender.post(sent)
    assert not any(sender.confirm(5))
    sender.close()


def await_(receiver, count: int, seconds: float = 10) -> list[Arrival]:
    """Receive until `count` messages are there."""
    arrivals: list[Arrival] = []
    end = time.monotonic() + seconds
    while len(arrivals) < count and time.monotonic() < end:
        arrivals += receiver.receive(0.1)
    assert len(arrivals) == count
    return arrivals


# -- the server that every machine has


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(SERVER, socket_connect_timeout=1) as client:
        try:
            client.ping()
        except redis.ConnectionError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(f"no Redis at {SERVER}; in CI nothing is skipped for that")
            pytest.skip(f"no Redis at {SERVER}: {error}")
        yield client


@pytest.fixture
def transport(client, name) -> Iterator[Callable[..., Redis]]:
    """Return what opens the transport with options; its keys are removed afterwards."""
    yield lambda options="": Redis(f"{SERVER}?prefix={name}{options}")
    for key in client.scan_iter(f"{name}*"):
        client.delete(key)


@pytest.fixture
def receivers() -> Iterator[Callable[..., object]]:
    """Return what opens receivers that are closed afterwards."""
    with ExitStack() as stack:

        def receiver(transport: Redis, *queues: str, prefetch: int = 10):
            opened = transport.receiver(TOPOLOGY, queues, prefetch=prefetch)
            stack.callback(opened.close)
            return opened

        yield receiver


def test_a_message_arrives_as_it_was_sent(transport, receivers):
    publish(transport(), parcels(1, BILLING))
    (arrival,) = await_(receivers(transport(), BILLING), 1)
    assert (arrival.queue, arrival.body, arrival.headers) == (BILLING, message().body, {"ce-subject": "4729"})
    assert (arrival.content_type, arrival.content_encoding, arrival.deliveries) == (CONTENT_TYPE, "binary", 1)


def test_what_was_published_before_anybody_consumed_is_there(transport, receivers):
    publish(transport(), parcels(3, AUDIT))
    assert len(await_(receivers(transport(), AUDIT), 3)) == 3


def test_nothing_stays_in_memory_when_all_is_acknowledged(transport, receivers, client, name):
    publish(transport(), parcels(250, BILLING))
    receiver = receivers(transport(), BILLING, prefetch=50)
    for _ in range(5):
        receiver.acknowledge(await_(receiver, 50))
    key = f"{name}:{BILLING}"
    assert client.xlen(key) == 0
    assert client.xpending(key, "stamp")["pending"] == 0


def test_acknowledging_twice_is_harmless(transport, receivers):
    publish(transport(), parcels(1, BILLING))
    receiver = receivers(transport(), BILLING, prefetch=1)
    arrivals = await_(receiver, 1)
    receiver.acknowledge(arrivals)
    receiver.acknowledge(arrivals)
    publish(transport(), parcels(1, BILLING))
    assert await_(receiver, 1)


@pytest.mark.parametrize("prefetch", [1, 2, 4, 7])
def test_the_limit_holds_over_all_queues_and_no_queue_starves(transport, receivers, prefetch):
    publish(transport(), [*parcels(5, BILLING), *parcels(5, SEARCH), *parcels(5, AUDIT)])
    receiver = receivers(transport(), BILLING, SEARCH, AUDIT, prefetch=prefetch)
    held: list[Arrival] = []
    seen: list[Arrival] = []
    end = time.monotonic() + 10
    while len(seen) < 15 and time.monotonic() < end:
        arrivals = receiver.receive(0.01)
        held += arrivals
        assert len(held) <= prefetch
        if not arrivals:
            receiver.acknowledge(held)
            seen, held = seen + held, []
    assert sorted(each.queue for each in seen) == sorted([BILLING, SEARCH, AUDIT] * 5)


def test_a_living_receiver_keeps_what_it_holds_however_long_it_takes(transport, receivers):
    publish(transport(), parcels(3, BILLING))
    holder = receivers(transport("&redeliver=1"), BILLING)
    await_(holder, 3)
    other = receivers(transport("&redeliver=1"), BILLING)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert not holder.receive(0.02)
        assert not other.receive(0.02)


def test_a_receiver_that_falls_silent_loses_what_it_holds_and_does_not_take_it_back(transport, receivers):
    publish(transport(), parcels(3, BILLING))
    silent = receivers(transport("&redeliver=0.2"), BILLING)
    await_(silent, 3)
    other = receivers(transport("&redeliver=0.2"), BILLING)
    again = await_(other, 3)
    assert [each.deliveries for each in again] == [2, 2, 2]
    for _ in range(20):
        assert not silent.receive(0.02)
        assert not other.receive(0.02)


def test_what_is_not_renewed_in_time_and_nobody_else_took_does_not_arrive_again(transport, receivers, client, name):
    publish(transport(), parcels(2, BILLING))
    slow = receivers(transport(), BILLING)
    slow._redeliver = slow._beat = 0.0  # what it holds is free as soon as it has said that it is at work
    first, second = await_(slow, 2)
    for _ in range(3):
        assert not slow.receive(0)
    slow.acknowledge([first])
    slow.bury(second, "a reason")
    assert client.xlen(f"{name}:{BILLING}") == 0
    assert client.xlen(f"{name}:{BILLING}.dead") == 1


def test_what_is_not_acknowledged_goes_back_when_the_receiver_closes(transport, receivers):
    publish(transport(), parcels(4, BILLING))
    first = receivers(transport(), BILLING)
    first.acknowledge(await_(first, 4)[:2])
    first.close()
    assert len(await_(receivers(transport(), BILLING), 2)) == 2


def test_the_messages_of_a_killed_process_come_again(transport, receivers, name):
    publish(transport(), parcels(20, BILLING, SEARCH))
    program = (
        "import sys\n"
        "from stamp.runtime.topology import Topology\n"
        "from stamp.runtime.transports.redis import Redis\n"
        "topology = Topology.of('ticket', {'billing': ['Paid']})\n"
        "receiver = Redis(sys.argv[1]).receiver(topology, ['ticket.billing'], prefetch=20)\n"
        "held = []\n"
        "while len(held) < 20: held += receiver.receive(1)\n"
        "print('holding', flush=True)\n"
        "while True: receiver.receive(1)\n"
    )
    url = f"{SERVER}?prefix={name}&redeliver=0.5"
    with subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "holding\n"
        process.kill()
    again = await_(receivers(transport("&redeliver=0.5"), BILLING, prefetch=20), 20)
    assert {each.deliveries for each in again} == {2}


def test_consumers_that_are_gone_do_not_pile_up(transport, receivers, client, name):
    publish(transport(), parcels(1, BILLING))
    for _ in range(3):
        receivers(transport(), BILLING).close()
    silent = receivers(transport("&redeliver=0.2"), BILLING)
    silent.acknowledge(await_(silent, 1))
    other = receivers(transport("&redeliver=0.2"), BILLING)
    end = time.monotonic() + 10
    while len(client.xinfo_consumers(f"{name}:{BILLING}", "stamp")) > 1 and time.monotonic() < end:
        other.receive(0.05)
    assert len(client.xinfo_consumers(f"{name}:{BILLING}", "stamp")) == 1
    # And who was dismissed, but lives, goes on as if nothing had happened.
    other.close()
    publish(transport(), parcels(1, BILLING))
    assert await_(silent, 1)


def test_a_dead_letter_is_moved_with_its_reason(transport, receivers, client, name):
    publish(transport(), parcels(2, BILLING))
    receiver = receivers(transport(), BILLING)
    first, _ = await_(receiver, 2)
    receiver.bury(first, "no envelope")
    ((_, letter),) = client.xrange(f"{name}:{BILLING}.dead")
    assert letter[b"body"] == first.body
    assert b'"stamp-reason": "no envelope"' in letter[b"headers"]
    assert client.xlen(f"{name}:{BILLING}") == 1
    receiver.bury(first, "again")
    assert client.xlen(f"{name}:{BILLING}.dead") == 1


def test_a_letter_that_cannot_be_written_leaves_the_message_where_it_is(transport, receivers, client, name):
    client.set(f"{name}:{BILLING}.dead", "not a stream")
    publish(transport(), parcels(1, BILLING))
    receiver = receivers(transport(), BILLING)
    (arrival,) = await_(receiver, 1)
    with pytest.raises(DeliveryError, match=r"prefix"):
        receiver.bury(arrival, "no envelope")
    assert client.xlen(f"{name}:{BILLING}") == 1
    assert client.xpending(f"{name}:{BILLING}", "stamp")["pending"] == 1


def test_what_somebody_else_put_into_the_stream_arrives_as_it_is(transport, receivers, client, name):
    publish(transport(), [])
    for fields in ({"a": "b"}, {"body": b"\xff", "headers": b"\xff"}, {"headers": "[" * 100_000}, {"headers": "[1]"}):
        client.xadd(f"{name}:{BILLING}", fields)
    arrivals = await_(receivers(transport(), BILLING), 4)
    assert [(each.body, each.headers, each.content_type) for each in arrivals] == [
        (b"", {}, None),
        (b"\xff", {}, None),
        (b"", {}, None),
        (b"", {}, None),
    ]


def test_each_parcel_has_its_own_verdict(transport, client, name):
    sender = transport().sender(TOPOLOGY)
    client.delete(f"{name}:{SEARCH}")
    client.set(f"{name}:{SEARCH}", "not a stream")
    large = Parcel(message(body=bytes(transport().promises.largest + 1)), (BILLING,))
    unknown = Parcel(message(), ("ticket.unknown",))
    final = Parcel(message(), ())
    good, bad, fan = parcels(1, BILLING)[0], parcels(1, SEARCH)[0], parcels(1, BILLING, SEARCH)[0]
    sender.post([good, bad, large])
    sender.post([fan, unknown, final, good])
    verdicts = sender.confirm(5)
    assert [type(each) for each in verdicts] == [
        type(None),
        DeliveryError,
        DeliveryError,
        DeliveryError,
        UnroutableError,
        type(None),
        type(None),
    ]
    assert "prefix" in str(verdicts[1])
    assert client.xlen(f"{name}:{BILLING}") == 3
    sender.close()


def test_a_deleted_queue_is_noticed_and_declared_by_whoever_consumes_it(transport, receivers, client, name):
    sender = transport().sender(TOPOLOGY)
    receiver = receivers(transport(), BILLING)
    client.delete(f"{name}:{BILLING}")
    with pytest.raises(DeliveryError, match="connect again"):
        receiver.receive(0.1)
    for _ in range(2):
        sender.post(parcels(1, BILLING, SEARCH))
        assert [type(each) for each in sender.confirm(5)] == [UnroutableError]
    assert not client.exists(f"{name}:{BILLING}")
    again = receivers(transport(), BILLING)
    sender.post(parcels(1, BILLING, SEARCH))
    assert sender.confirm(5) == [None]
    sender.close()
    assert await_(again, 1)


def test_a_queue_is_removed_when_nobody_was_heard_of_for_long_enough(transport, receivers, client, name):
    redis = transport("&redeliver=1")
    receiver, sleeper = receivers(redis, BILLING), receivers(redis, SEARCH)
    sleeper.receive(0)
    for _ in range(3):
        assert not receiver.receive(0.4)
        with pytest.raises(DeliveryError, match="still consumed"):
            redis.remove(TOPOLOGY, BILLING, discard=True)
    assert redis.remove(TOPOLOGY, SEARCH, discard=False) == 0
    receiver.close()
    assert redis.remove(TOPOLOGY, BILLING, discard=False) == 0
    assert not client.exists(f"{name}:{BILLING}", f"{name}:{SEARCH}")


def test_a_directory_that_was_deleted_does_not_get_a_version_of_before(transport, client, name):
    writer, reader = transport().directory("ticket"), transport().directory("ticket")
    seen = {reader.version()}
    for number in range(3):
        writer.write({"contract/billing": str(number)})
        seen.add(reader.version())
        client.delete(f"{name}:ticket:directory")
    assert len(seen) == 4
    writer.close()
    reader.close()


# -- a server of our own, to be maltreated


class Server:
    """A redis-server in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        ports = (
            ["--port", "0", "--tls-port", str(self.port)]
            if "--tls-cert-file" in options
            else ["--port", str(self.port)]
        )
        self.process = subprocess.Popen(
            ["redis-server", *ports, "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options],
            stdout=subprocess.DEVNULL,
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                assert self.process.poll() is None
                time.sleep(0.01)
            else:
                break

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(require, tmp_path) -> Iterator[Callable[..., Server]]:
    require("redis-server")
    with ExitStack() as stack:

        def started(*options: str) -> Server:
            server = Server(tmp_path, *options)
            stack.callback(server.end)
            return server

        yield started


def test_nobody_there(start):
    server = start()
    server.end()
    with pytest.raises(DeliveryError, match=f"Redis at {server.url}/0: .*refused"):
        Redis(server.url).sender(TOPOLOGY)


def test_a_server_that_was_killed_is_noticed_by_all(start, receivers):
    server = start()
    transport = Redis(server.url)
    busy, idle = transport.sender(TOPOLOGY), transport.sender(TOPOLOGY)
    receiver = receivers(transport, BILLING)
    server.end()
    with pytest.raises(DeliveryError):
        receiver.receive(1)
    with pytest.raises(DeliveryError):
        idle.confirm(0)
    with pytest.raises(DeliveryError):
        post_and_confirm(busy)
    with pytest.raises(DeliveryError, match="open another"):
        post_and_confirm(busy)
    busy.close()
    idle.close()


def post_and_confirm(sender):
    sender.post(parcels(1, BILLING))
    return sender.confirm(1)


def test_a_server_that_hangs_is_noticed_by_all(start, receivers):
    server = start()
    transport = Redis(f"{server.url}?timeout=0.2")
    sender, receiver = transport.sender(TOPOLOGY), receivers(transport, BILLING)
    server.process.send_signal(signal.SIGSTOP)
    sender.post(parcels(1, BILLING))
    with pytest.raises(DeliveryError, match="no answer in time"):
        sender.confirm(0.1)
    with pytest.raises(DeliveryError, match="no answer in time"):
        receiver.receive(0.1)
    with pytest.raises(DeliveryError):
        transport.sender(TOPOLOGY)


def test_a_late_answer_confirms_nothing(start):
    server = start()
    sender = Redis(f"{server.url}?timeout=0.2").sender(TOPOLOGY)
    server.process.send_signal(signal.SIGSTOP)
    sender.post(parcels(1, BILLING))
    with pytest.raises(DeliveryError):
        sender.confirm(0.05)
    server.process.send_signal(signal.SIGCONT)
    with pytest.raises(DeliveryError):
        sender.confirm(1)


REFUSALS = {
    "no memory": (["maxmemory", "1"], "raise maxmemory"),
    "a replica": (["replicaof", "127.0.0.1 1"], "primary"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_says_what_to_do(start, refusal):
    server = start()
    sender = Redis(server.url).sender(TOPOLOGY)
    (setting, advice) = REFUSALS[refusal]
    with server.client as client:
        client.execute_command(
            *(["REPLICAOF", "127.0.0.1", "1"] if refusal == "a replica" else ["CONFIG", "SET", *setting])
        )
    sender.post([*parcels(1, BILLING), *parcels(1, BILLING, SEARCH)])
    verdicts = sender.confirm(5)
    assert all(advice in str(each) for each in verdicts)
    assert len(verdicts) == 2
    with pytest.raises(DeliveryError, match=advice):
        Redis(server.url).sender(TOPOLOGY)
    sender.close()


def test_user_and_password_may_have_any_characters(start):
    server = start()
    with server.client as client:
        client.acl_setuser("a:b", enabled=True, passwords=["+p@ss/:#?"], keys="*", commands=["+@all"])
    transport = Redis(f"redis://a%3Ab:p%40ss%2F%3A%23%3F@127.0.0.1:{server.port}/3")
    publish(transport, parcels(1, BILLING))
    assert transport.address == f"redis://127.0.0.1:{server.port}/3"
    with server.client as client:
        client.select(3)
        assert client.dbsize() == 3


def test_the_permissions_that_the_docs_name_are_enough(start, receivers):
    server = start()
    with server.client as client:
        client.acl_setuser(
            "stamp",
            enabled=True,
            passwords=["+secret"],
            keys=["stamp:*"],
            commands=["+@stream", "+@hash", "+del", "+multi", "+exec", "+eval", "+info"],
        )
    transport = Redis(f"redis://stamp:secret@127.0.0.1:{server.port}")
    publish(transport, parcels(2, BILLING, SEARCH))
    receiver = receivers(transport, BILLING, SEARCH)
    arrivals = await_(receiver, 4)
    receiver.bury(arrivals[0], "no envelope")
    receiver.acknowledge(arrivals[1:])
    receiver.close()
    directory = transport.directory("ticket")
    directory.write({"contract/billing": "{}"})
    assert directory.read() == {"contract/billing": "{}"}
    assert directory.version()
    directory.close()
    assert transport.remove(TOPOLOGY, SEARCH, discard=True) == 0
    with pytest.raises(DeliveryError, match="allow this user"):
        Redis(f"redis://stamp:secret@127.0.0.1:{server.port}?prefix=other").sender(TOPOLOGY)


@pytest.mark.parametrize("url", ["redis://:wrong-secret@{}", "redis://{}"])
def test_a_wrong_password_is_refused_and_never_shown(start, url):
    server = start("--requirepass", "right-secret")
    transport = Redis(url.format(f"127.0.0.1:{server.port}"))
    with pytest.raises(DeliveryError, match="check user and password") as error:
        transport.sender(TOPOLOGY)
    assert "secret" not in "".join(
        [str(error.value), repr(error.value.__cause__), transport.address, repr(vars(transport))]
    )


def test_a_database_that_does_not_exist(start):
    with pytest.raises(DeliveryError, match="out of range"):
        Redis(f"{start().url}/99").sender(TOPOLOGY)


def test_tls(start, require, tmp_path, receivers):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"
    command = (
        require("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
        *names,
    )
    subprocess.run(command, check=True, capture_output=True)
    files = "--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)
    server = start(*files, "--tls-auth-clients", "no")
    url = f"rediss://127.0.0.1:{server.port}"
    transport = Redis(f"{url}?ssl_ca_certs={certificate}")
    publish(transport, parcels(30, BILLING))
    assert await_(receivers(transport, BILLING, prefetch=30), 30)
    assert transport.address == f"{url}/0"
    with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
        Redis(url).sender(TOPOLOGY)


def test_an_old_server_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as old:

        def answer():
            peer, _ = old.accept()
            with peer:
                while asked := peer.recv(4096):
                    facts = b"# Server\r\nredis_version:6.0.16\r\n"
                    peer.sendall(
                        b"$%d\r\n%s\r\n" % (len(facts), facts)
                        if b"INFO" in asked and b"SETINFO" not in asked
                        else b"+OK\r\n"
                    )

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(DeliveryError, match=r"Redis 6\.0\.16, .* upgrade"):
            Redis(f"redis://127.0.0.1:{old.getsockname()[1]}").sender(TOPOLOGY)
        thread.join()


# -- addresses


def test_an_address_has_what_is_in_the_url():
    address = Address.parse("rediss://u:p%40@[::1]:7000/2?redeliver=5&prefix=orders&timeout=3&ssl_ca_certs=/ca.pem")
    assert str(address) == "rediss://[::1]:7000/2"
    assert (address.user, address.password, address.redeliver, address.timeout) == ("u", "p@", 5.0, 3.0)
    assert address.key("ticket.billing") == "orders:ticket.billing"
    assert address.tls == {"ssl_ca_certs": "/ca.pem"}
    assert "p@" not in repr(address)


def test_what_is_left_out_has_the_usual_value():
    address = Address.parse("redis://")
    assert (str(address), address.prefix, address.redeliver) == ("redis://localhost:6379/0", "stamp", 30.0)
    assert address.tls is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://host/name", "number of a database"),
        ("redis://host:port", "expected a URL such as"),
        ("redis://host?redeliver=soon", "number of seconds for redeliver"),
        ("redis://host?redeliver=0", "between"),
        ("redis://host?timeout=nan", "between"),
        ("redis://host?retry=5", "takes the options prefix, redeliver"),
        ("redis://host?ssl_ca_certs=/ca.pem", "write rediss://"),
    ],
)
def test_an_address_that_cannot_be_used(url, said):
    with pytest.raises(InputError, match=said):
        Address.parse(url.replace("//", "//:secret@"))


def test_what_is_promised_follows_from_the_url():
    assert Redis("redis://host?redeliver=5").promises.redelivers == 7
    assert not Redis("redis://host").promises.keeps

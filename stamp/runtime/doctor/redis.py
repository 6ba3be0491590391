"""What can be wrong with a Redis."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from statistics import median
from time import perf_counter
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.doctor.contracts import nobody
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem, release, warning
from stamp.runtime.topology import StepQueue, Topology
from stamp.runtime.transports.redis.address import Address
from stamp.runtime.transports.redis.line import Line
from stamp.runtime.transports.redis.streams import GROUP

__all__ = ["examine", "examine_queues"]

OLDEST: Final = (6, 2)
TIGHT: Final = 0.75
FULL: Final = 0.95
"""Shares of the memory from which on somebody should do something."""
ROUNDS: Final = 15
SLOW: Final = 0.05
"""How long an event may take, in seconds."""


def examine(url: str, *, name: str, largest: int) -> Iterator[Diagnosis]:
    """Look at a server: `name` is the queue that probes may make, `largest` the size of an event in bytes."""
    address = Address.parse(url)
    began = perf_counter()
    try:
        with closing(Line(address)) as line:
            facts = _facts(line)
            yield ok("connection", f"made in {(perf_counter() - began) * 1e3:.0f} ms")
            yield from _server(facts)
            yield from _durability(facts, _setting(line, "appendfsync"))
            yield from _memory(facts)
            yield from _trials(line, address.key(name), largest)
    except DeliveryError as error:
        yield problem("connection", str(error), "")


def _facts(line: Line) -> Mapping[str, str]:
    [text] = line.ask(("INFO",))
    return dict(row.split(":", 1) for row in text.decode().splitlines() if ":" in row)


def _setting(line: Line, name: str) -> str | None:
    """Return a setting; None where nobody may ask for it, as in many clouds."""
    [answer] = line.try_to(("CONFIG", "GET", name))
    return None if isinstance(answer, DeliveryError) or len(answer) < 2 else answer[1].decode()


def _server(facts: Mapping[str, str]) -> Iterator[Diagnosis]:
    number = facts.get("redis_version", "?")
    yield judged(
        "version",
        f"Redis {number}",
        {State.PROBLEM: release(number) < OLDEST},
        "upgrade to Redis 6.2 or later, or Valkey: what consumers held that died cannot be claimed before",
    )
    yield judged(
        "role",
        facts.get("role", "?"),
        {State.PROBLEM: facts.get("role") != "master"},
        "give the address of the primary server: a replica takes no events",
    )
    yield judged(
        "cluster",
        "one server" if facts.get("cluster_enabled", "0") == "0" else "a cluster",
        {State.PROBLEM: facts.get("cluster_enabled", "0") != "0"},
        "use a single primary server: an event for several steps cannot be added in one transaction",
    )


def _durability(facts: Mapping[str, str], sync: str | None) -> Iterator[Diagnosis]:
    if facts.get("aof_enabled") != "1":
        text = "set `appendonly yes`: events since the last snapshot are gone with the server, and have to be sent again by the stores of their senders"
        yield warning("append-only file", "none", text)
    else:
        yield judged(
            "append-only file",
            f"appendfsync {sync or 'unknown: CONFIG is not allowed'}",
            {State.WARNING: sync not in {"always", "everysec"}},
            "set `appendfsync everysec`, with which a second is lost with the machine, or `always`",
        )
    failed = [
        name
        for name in ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
        if facts.get(name, "ok") != "ok"
    ]
    yield judged(
        "persistence",
        ", ".join(f"{name} {facts[name]}" for name in failed) or "no errors",
        {State.PROBLEM: bool(failed)},
        "look at the disk and at the log of the server: it may refuse events (`stop-writes-on-bgsave-error`)",
    )


def _memory(facts: Mapping[str, str]) -> Iterator[Diagnosis]:
    limit, used = int(facts.get("maxmemory", 0)), int(facts.get("used_memory", 0))
    policy = facts.get("maxmemory_policy", "noeviction")
    yield judged(
        "maxmemory-policy",
        policy,
        {State.PROBLEM: policy != "noeviction" and limit > 0, State.WARNING: policy != "noeviction"},
        "set `maxmemory-policy noeviction`: any other deletes events when memory is short",
    )
    of = limit or int(facts.get("total_system_memory", 0))
    if not of:
        return
    found = (
        f"{used / 2**20:,.0f} MiB used of {of / 2**20:,.0f} MiB{'' if limit else ', all of the machine: no maxmemory'}"
    )
    states = {State.PROBLEM: used > FULL * of, State.WARNING: used > TIGHT * of}
    yield judged(
        "memory", found, states, "raise `maxmemory`, or let workers catch up: without memory events are refused"
    )


def _trials(line: Line, key: str, largest: int) -> Iterator[Diagnosis]:
    """Do with a stream of our own what workers do."""
    [refused] = line.try_to(("DEL", key))
    if isinstance(refused, DeliveryError):
        yield ok("streams", "not tried: this user may not delete keys, so one that we made would stay")
        return
    try:
        time = _tried(line, key, largest)
    except DeliveryError as error:
        yield problem("streams", str(error), "")
    else:
        yield judged(
            "streams",
            f"an event takes {time * 1e3:.1f} ms, one of {largest:,} bytes is taken",
            {State.WARNING: time > SLOW},
            "look for commands that take long (`SLOWLOG GET`), and at the disk if `appendfsync` is `always`",
        )
    finally:
        line.try_to(("DEL", key))


def _tried(line: Line, key: str, largest: int) -> float:
    """Return how many seconds an event takes."""
    line.ask(("XGROUP", "CREATE", key, GROUP, "0", "MKSTREAM"))
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        line.ask(("XADD", key, "NOMKSTREAM", "*", "body", b"probe"))
        times.append(perf_counter() - began)
    line.ask(("MULTI",), ("XADD", key, "NOMKSTREAM", "*", "body", bytes(largest)), ("EXEC",))
    line.ask(("XREADGROUP", "GROUP", GROUP, "doctor", "COUNT", 1, "STREAMS", key, ">"))
    [[_, entries, *_]] = line.ask(("XAUTOCLAIM", key, GROUP, "doctor", 0, "0-0", "COUNT", 1))
    line.ask(("XPENDING", key, GROUP), ("XINFO", "CONSUMERS", key, GROUP), ("XDEL", key, entries[0][0]))
    line.ask(("EVAL", "return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])", 1, key, GROUP, entries[0][0]))
    return median(times)


def examine_queues(url: str, topology: Topology, *, announced: Collection[str] = ()) -> Iterator[Diagnosis]:
    """Look at the streams of a workflow, of which the steps `announced` are in its directory; nothing is made that is not there."""
    address = Address.parse(url)
    try:
        with closing(Line(address)) as line:
            for queue in topology.queues:
                advice = nobody(topology.exchange, queue.step, is_announced=queue.step in announced)
                yield _stream(line, address, queue, advice)
    except DeliveryError as error:
        yield problem(topology.exchange, str(error), "")


def _stream(line: Line, address: Address, queue: StepQueue, advice: str) -> Diagnosis:
    key = address.key(queue.name)
    length, consumers = line.try_to(("XLEN", key), ("XINFO", "CONSUMERS", key, GROUP))
    if isinstance(length, DeliveryError):
        return problem(key, str(length), "")
    if isinstance(consumers, DeliveryError):
        return warning(key, "no such stream yet", "whoever is the first to publish or to consume makes it")
    idle = (dict(zip(each[::2], each[1::2], strict=True))[b"idle"] for each in consumers)
    alive = sum(each < address.redeliver * 1000 for each in idle)
    found = f"{length:,} messages wait or are worked on, consumers: {alive:,}"
    return judged(key, found, {State.WARNING: length > 0 and not alive}, advice)

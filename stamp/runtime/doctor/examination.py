"""Who is examined, and how: by the scheme of a URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from secrets import token_hex
from typing import Final, NamedTuple
from urllib.parse import unquote

from sqlalchemy.engine import URL

from stamp.envelope.limits import LIMITS
from stamp.runtime.brokers import KINDS, transport
from stamp.runtime.doctor import disk, postgresql, promises, sqlite, work
from stamp.runtime.doctor.diagnosis import Diagnosis, State, problem
from stamp.runtime.staff import topology_of
from stamp.runtime.topology import Topology
from stamp.store.address import address, file_of, is_in_memory, is_server, public
from stamp.workflow.workflow import Workflow, system_clock

__all__ = ["Examination", "Patient", "examinations"]


class Examination(NamedTuple):
    """What is looked at, where it is, without a password, and how it is."""

    subject: str
    address: str
    diagnoses: Iterator[Diagnosis]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What workers would work with: the URLs of a broker and of a store, and a workflow, each if there is one."""

    broker: str | None = None
    store: str | None = None
    workflow: Workflow | None = None

    @property
    def topology(self) -> Topology | None:
        """The queues of the workflow."""
        return None if self.workflow is None else topology_of(self.workflow)

    @property
    def probe(self) -> str:
        """A name for what probes make, which nobody else has: of the workflow, because a user may be allowed no other names."""
        return f"{'stamp' if self.workflow is None else self.workflow.name}-doctor-{token_hex(4)}"

    @property
    def largest(self) -> int:
        """Bytes of the largest event."""
        return (LIMITS if self.workflow is None else self.workflow.limits).message


def examinations(patient: Patient) -> Iterator[Examination]:
    """Yield what there is to examine; each begins when its diagnoses are asked for.

    Raises:
        InputError: a broker that stamp does not know. StoreError: the same of a store.
    """
    if patient.broker is not None:
        yield _broker(patient, patient.broker)
    if patient.store is not None:
        yield _store(patient, patient.store)


def _broker(patient: Patient, url: str) -> Examination:
    carrier = transport(url)
    is_shared = patient.store is not None and is_server(patient.store)
    promised = promises.examine(
        carrier.promises, largest=patient.largest, has_store=patient.store is not None, is_shared=is_shared
    )
    looked_at = BROKERS[KINDS[url.partition(":")[0].lower()].module](patient, url)
    return Examination("broker", carrier.address, chain(promised, looked_at))


def _rabbitmq(patient: Patient, url: str) -> Iterator[Diagnosis]:
    from stamp.runtime.doctor import rabbitmq, rabbitmq_queues  # noqa: PLC0415 - only who has one needs its library

    server = rabbitmq.examine(url, name=patient.probe, largest=patient.largest)
    topology = patient.topology
    queues = iter(()) if topology is None else rabbitmq_queues.examine(url, topology)
    yield from _if_reached(server, queues)


def _redis(patient: Patient, url: str) -> Iterator[Diagnosis]:
    from stamp.runtime.doctor import redis  # noqa: PLC0415 - the same

    server = redis.examine(url, name=patient.probe, largest=patient.largest)
    topology = patient.topology
    yield from _if_reached(server, iter(()) if topology is None else redis.examine_queues(url, topology))


def _kafka(patient: Patient, url: str) -> Iterator[Diagnosis]:
    from stamp.runtime.doctor import kafka  # noqa: PLC0415 - the same

    yield from kafka.examine(url, patient.topology)


def _filesystem(url: str) -> Iterator[Diagnosis]:
    folder = Path(unquote(url.removeprefix("filesystem://"))).absolute()
    there = next(each for each in (folder, *folder.parents) if each.is_dir())
    yield from disk.examine(there)


def _sql(url: str) -> Iterator[Diagnosis]:
    where = address(url.partition("+")[2])
    yield from _database(where.difference_update_query(["redeliver"]))


BROKERS: Final[Mapping[str, Callable[[Patient, str], Iterator[Diagnosis]]]] = {
    "rabbitmq": _rabbitmq,
    "redis": _redis,
    "kafka": _kafka,
    "sql": lambda patient, url: _sql(url),
    "filesystem": lambda patient, url: _filesystem(url),
    "memory": lambda patient, url: iter(()),
}
"""How to look at each kind of broker, by the name of its transport."""


def _store(patient: Patient, url: str) -> Examination:
    where = address(url)
    return Examination("store", public(where), _if_reached(_database(where), _work(patient, url)))


def _database(where: URL) -> Iterator[Diagnosis]:
    if is_in_memory(where):
        yield problem("database", "in memory", "give a file: sqlite:///stamp.db; other processes cannot see this one")
    elif (file := file_of(where)) is not None:
        yield from sqlite.examine(file)
    elif where.get_backend_name() == "postgresql":
        yield from postgresql.examine(where, name=f"stamp_doctor_{token_hex(4)}")


def _work(patient: Patient, url: str) -> Iterator[Diagnosis]:
    if not is_in_memory(address(url)):
        consumers = None if patient.topology is None else {queue.name for queue in patient.topology.queues}
        yield from work.examine(url, consumers=consumers, has_broker=patient.broker is not None, clock=system_clock)


def _if_reached(server: Iterator[Diagnosis], rest: Iterator[Diagnosis]) -> Iterator[Diagnosis]:
    """Look at `rest` only if there is a connection: nobody wants to be told twice that there is none."""
    is_reached = True
    for each in server:
        is_reached &= not (each.what == "connection" and each.state is State.PROBLEM)
        yield each
    if is_reached:
        yield from rest

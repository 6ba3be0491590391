"""Who is examined, and how: by the scheme of a URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from secrets import token_hex
from typing import Final, NamedTuple

from sqlalchemy.engine import URL

from stamp.envelope.limits import LIMITS
from stamp.errors import DeliveryError
from stamp.runtime.brokers import KINDS, transport
from stamp.runtime.directories import BrokerDirectories, StoreDirectories
from stamp.runtime.doctor import contracts, disk, postgresql, promises, sqlite, work
from stamp.runtime.doctor.diagnosis import Diagnosis, State, problem
from stamp.runtime.staff import topology_of
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Transport
from stamp.store.address import address, file_of, is_in_memory, is_server, public
from stamp.store.store import Store
from stamp.url import scheme_of
from stamp.workflow.announcement import listeners
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
        return f"{'stamp' if self.workflow is None else self.workflow.name}.doctor-{token_hex(4)}"

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
    looked_at = BROKERS[KINDS[scheme_of(url)].module](patient, url)
    return Examination("broker", carrier.address, chain(promised, _if_reached(looked_at, _announced(patient, carrier))))


def _announced(patient: Patient, carrier: Transport) -> Iterator[Diagnosis]:
    workflow = patient.workflow
    if workflow is not None and carrier.promises.between_processes:
        place, folder = BrokerDirectories(carrier), workflow.contracts_folder
        yield from contracts.examine(place, workflow.name, folder, option="--broker ...")


def _heard(patient: Patient, url: str) -> Mapping[str, tuple[str, ...]]:
    """Return who listens to what, as it is announced at a broker; nothing if it cannot be read, which is told later."""
    if patient.workflow is None:
        return {}
    with suppress(DeliveryError):
        kept = BrokerDirectories(transport(url)).read(patient.workflow.name)
        return listeners({key: each.text for key, each in kept.items()})
    return {}


def _rabbitmq(patient: Patient, url: str) -> Iterator[Diagnosis]:
    from stamp.runtime.doctor import rabbitmq, rabbitmq_queues  # noqa: PLC0415 - only who has one needs its library

    yield from _if_reached(
        rabbitmq.examine(url, name=patient.probe, largest=patient.largest),
        _queues(patient, url, rabbitmq_queues.examine),
    )


def _queues(patient: Patient, url: str, examine: Callable[..., Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """Look at the queues of a workflow: those of its contracts, and those that are announced."""
    topology = patient.topology
    if topology is not None:
        heard = _heard(patient, url)
        yield from examine(url, topology.with_listeners(heard), announced=heard.keys())


def _redis(patient: Patient, url: str) -> Iterator[Diagnosis]:
    from stamp.runtime.doctor import redis  # noqa: PLC0415 - the same

    yield from _if_reached(
        redis.examine(url, name=patient.probe, largest=patient.largest),
        _queues(patient, url, redis.examine_queues),
    )


def _kafka(patient: Patient, url: str) -> Iterator[Diagnosis]:
    from stamp.runtime.doctor import kafka  # noqa: PLC0415 - the same

    yield from kafka.examine(url, patient.topology)


def _filesystem(url: str) -> Iterator[Diagnosis]:
    from stamp.runtime.transports.filesystem.broker import folder_of  # noqa: PLC0415 - only a system with fcntl has it

    folder = folder_of(url)
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
    "sqs": lambda patient, url: iter(()),
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
    if is_in_memory(address(url)):
        return
    consumers = None if patient.topology is None else {queue.name for queue in patient.topology.queues}
    found = work.examine(url, consumers=consumers, has_broker=patient.broker is not None, clock=system_clock)
    is_usable = True
    for each in found:
        is_usable &= each.what != "tables" or each.state is State.OK
        yield each
    if is_usable:
        with StoreDirectories(Store.open(url, create=False), system_clock) as place:
            yield from _kept(patient.workflow, place)


def _kept(workflow: Workflow | None, place: StoreDirectories) -> Iterator[Diagnosis]:
    """Look at what is announced in a store: of one workflow beside its contracts folder, or of all by itself."""
    if workflow is not None:
        yield from contracts.examine(place, workflow.name, workflow.contracts_folder, option="--store ...")
        return
    for name in place.workflows():
        yield from contracts.unusable(place, name, option="--store ...")


def _if_reached(server: Iterator[Diagnosis], rest: Iterator[Diagnosis]) -> Iterator[Diagnosis]:
    """Look at `rest` only if there is a connection: nobody wants to be told twice that there is none."""
    is_reached = True
    for each in server:
        is_reached &= not (each.what in {"connection", "encoding"} and each.state is State.PROBLEM)
        yield each
    if is_reached:
        yield from rest

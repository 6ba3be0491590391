"""The permissions of docs/security.md: with just these all works, without one of them the error says what to allow."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from stamp import Workflow
from stamp.errors import DeliveryError, StampError, StoreError
from stamp.runtime import Publisher, Worker
from stamp.runtime.brokers import transport
from stamp.runtime.doctor.diagnosis import State
from stamp.runtime.doctor.examination import Patient, examinations
from stamp.runtime.graveyard import HasGraveyard, Wanted
from stamp.runtime.staff import topology_of
from stamp.runtime.transport import Arrival, Transport
from stamp.store import Store, finals

from ...store.conftest import POSTGRESQL  # noqa: TID252
from ..conftest import REDIS, absent, needs  # noqa: TID252 - tests are no package that could be imported by its name
from .brokers import RABBITMQ

PATIENCE = 20.0


class Text(BaseModel):
    text: str


def shop(name: str) -> Workflow:
    workflow = Workflow(name, contracts="/nowhere")
    workflow.starts("order", Text, emits="Ordered")

    @workflow.step(on="Ordered", emits="Paid")
    def payment(order: Text) -> Text:
        return order

    @workflow.step(on="Paid", emits="Sent", ends="Sent")
    def parcel(payment: Text) -> Text:
        return payment

    return workflow


def exercise(broker: Transport, workflow: Workflow) -> None:
    """Do all that services, `stamp dlq` and `stamp contracts` do with a broker."""
    topology, queue = topology_of(workflow), f"{workflow.name}.payment"
    with Publisher(workflow, broker=broker, store=Store.open("sqlite://")) as publisher:
        publisher.publish(*(workflow.start(Text(text=str(run)), workflow_id=str(run)) for run in range(3)))
    with closing(broker.receiver(topology, [queue], prefetch=5)) as receiver:
        first, second, third = taken(receiver, 3)
        receiver.acknowledge([first])
        receiver.bury(second, "attempts-exhausted")
        receiver.bury(third, "attempts-exhausted")
        receiver.receive(0)
    if isinstance(broker, HasGraveyard):
        with broker.graveyard([queue]) as graveyard:
            one, other = list(graveyard.find(Wanted()))
            assert graveyard.replay([one]) == 1
            assert graveyard.discard([other]) == 1
    with closing(broker.directory(workflow.name)) as directory:
        directory.write({"contract/order": "{}"})
        assert directory.read()["contract/order"] == "{}"
        directory.version()


def taken(receiver: Any, count: int) -> Sequence[Arrival]:
    arrivals: list[Arrival] = []
    while len(arrivals) < count:
        arrivals += receiver.receive(PATIENCE)
    return arrivals


def runs(workflow: Workflow, broker: Transport | None, store: Store) -> None:
    """Have a worker do a whole run."""
    with Publisher(workflow, broker=broker, store=store) as publisher, Worker(workflow, broker=broker, store=store):
        publisher.publish(workflow.start(Text(text="x"), workflow_id="whole"))
        for _ in range(2_000):
            with store.read() as connection:
                if any(each.event == "Sent" for each in finals.find(connection)):
                    return
            time.sleep(0.01)
    raise AssertionError("waited in vain")


def listed(root: Path, start: str) -> list[str]:
    """Return the lines of the docs that begin so."""
    lines = (root / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line.startswith(start)]
    assert found
    return found


def works(url: str, name: str, folder: Path) -> None:
    workflow, broker = shop(name), transport(url)
    exercise(broker, workflow)
    with Store.open(f"sqlite:///{folder / 'stamp.db'}") as store:
        runs(workflow, broker, store)
    broker.remove(topology_of(workflow), f"{name}.payment", discard=True)


# RabbitMQ


def rabbitmqctl(*arguments: str) -> None:
    done = subprocess.run(["rabbitmqctl", "-q", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"rabbitmqctl may not be used here: {(done.stdout + done.stderr)[-200:]}")


@pytest.fixture
def rabbitmq(root: Path, name: str) -> Iterator[Callable[..., str]]:
    """Return `rabbitmq(configure, write, read)`: the URL of a user with the permissions of the docs, but for those that are given."""
    if shutil.which("rabbitmqctl") is None:
        pytest.skip("rabbitmqctl is not here")
    user = f"user-{name}"
    rabbitmqctl("add_vhost", name)
    rabbitmqctl("add_user", user, "secret")
    [line] = listed(root, "rabbitmqctl set_permissions")
    stated = [each.replace("ticket", name) for each in shlex.split(line)[-3:]]

    def allowed(**others: str) -> str:
        rights = [others.get(kind, each) for kind, each in zip(("configure", "write", "read"), stated, strict=True)]
        rabbitmqctl("set_permissions", "-p", name, user, *rights)
        where = urlsplit(RABBITMQ)
        return f"amqp://{user}:secret@{where.hostname}:{where.port or 5672}/{name}"

    yield allowed
    rabbitmqctl("delete_vhost", name)
    rabbitmqctl("delete_user", user)


@pytest.mark.slow
def test_rabbitmq_needs_what_is_stated_and_says_what_is_missing(rabbitmq, name, tmp_path):
    works(rabbitmq(), name, tmp_path)
    with pytest.raises(DeliveryError, match=r"403[\s\S]*docs/security\.md"):
        transport(rabbitmq()).sender(topology_of(shop("another")))
    for missing in ("configure", "write", "read"):
        with pytest.raises(StampError, match=r"403[\s\S]*docs/security\.md"):
            works(rabbitmq(**{missing: "^$"}), f"{name}.{missing}".replace(".", "-"), tmp_path)


# Redis


@pytest.fixture
def redis(root: Path, name: str) -> Iterator[Callable[..., str]]:
    """Return `redis(without)`: the URL of a user with the rights of the docs, but for some."""
    needs("redis")
    from redis import Redis
    from redis.exceptions import ConnectionError as NoRedisError

    client = Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        client.ping()
    except NoRedisError as error:
        absent(f"no Redis at {REDIS}: {error}")
    [line] = listed(root, "ACL SETUSER")
    _, _, _, *stated = line.replace("ticket", name).replace(">PASSWORD", ">secret").split()
    where = urlsplit(REDIS)

    def forget() -> None:
        for key in client.scan_iter(f"stamp:{name}*"):
            client.delete(key)

    def allowed(*without: str) -> str:
        forget()
        client.execute_command("ACL", "SETUSER", name, "reset", *(each for each in stated if each not in without))
        return f"redis://{name}:secret@{where.hostname}:{where.port}{where.path}"

    yield allowed
    client.execute_command("ACL", "DELUSER", name)
    forget()
    client.close()


def test_redis_needs_what_is_stated(redis, name, tmp_path):
    works(redis(), name, tmp_path)


def test_redis_says_what_is_missing(redis, name, root, tmp_path):
    with pytest.raises(DeliveryError, match=r"docs/security\.md"):
        transport(redis()).sender(topology_of(shop("another")))
    for right in ("+xadd", "+xgroup", "+xreadgroup", "+hset", "+hgetall", "+multi", "+eval", "+info"):
        with pytest.raises(StampError, match=r"docs/security\.md"):
            works(redis(right), name, tmp_path)


# PostgreSQL


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_the_doctor_finds_no_problem_where_all_that_is_stated_is_allowed(request, broker, name):
    patient = Patient(broker=request.getfixturevalue(broker)(), workflow=shop(name))
    diagnoses = [each for examination in examinations(patient) for each in examination.diagnoses]
    assert not [each for each in diagnoses if each.what in {"permissions", "probes"}]
    assert not [each for each in diagnoses if each.state is State.PROBLEM and each.what != "promise"]  # without a store


Granted = Callable[[Callable[[str], None], str], str]


@pytest.fixture
def postgresql(root: Path, name: str) -> Iterator[Granted]:
    """Return `postgresql(create, role)`: the URL of a role with the rights of the docs on tables that `create` has made."""
    needs("psycopg")
    where = make_url(POSTGRESQL)
    schema = name.replace("-", "_")
    engine = create_engine(where.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        connection = engine.connect()
    except OperationalError as error:
        absent(f"no PostgreSQL at {POSTGRESQL}: {error.orig}")
    connection.execute(text(f"CREATE SCHEMA {schema}"))
    connection.execute(text(f"CREATE ROLE {schema} LOGIN PASSWORD 'secret'"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {schema}"))

    def address(user: str) -> str:
        host, port = where.host or "127.0.0.1", where.port or 5432
        return f"{user}@{host}:{port}/{where.database}?options=-csearch_path%3D{schema}"

    def granted(create: Callable[[str], None], role: str) -> str:
        create(address(f"{where.username}:{where.password}" if where.password else where.username or "postgres"))
        for line in listed(root, "GRANT"):
            if line.endswith(f"TO {role};"):
                named = line.replace("SCHEMA stamp", f"SCHEMA {schema}").replace("stamp.stamp_", f"{schema}.stamp_")
                connection.execute(text(named.replace(f"TO {role}", f"TO {schema}")))
        return address(f"{schema}:secret")

    yield granted
    connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    connection.execute(text(f"DROP ROLE {schema}"))
    connection.close()
    engine.dispose()


def test_a_store_on_postgresql_needs_what_is_stated_and_says_what_is_missing(postgresql, name):
    where = postgresql(lambda _: None, "nobody")
    with pytest.raises(StoreError, match=r"permission denied[\s\S]*docs/security\.md"):
        Store.open(f"postgresql://{where}")
    where = postgresql(lambda owner: Store.open(f"postgresql://{owner}").close(), "nobody")
    with pytest.raises(StoreError, match=r"permission denied[\s\S]*docs/security\.md"):
        Store.open(f"postgresql://{where}")
    where = postgresql(lambda _: None, "worker")
    with Store.open(f"postgresql://{where}") as store:
        runs(shop(name), None, store)


def test_postgresql_as_a_broker_needs_what_is_stated_and_says_what_is_missing(postgresql, name, tmp_path):
    where = postgresql(lambda _: None, "nobody")
    with pytest.raises(DeliveryError, match=r"permission denied[\s\S]*docs/security\.md"):
        transport(f"sqla+postgresql://{where}").sender(topology_of(shop(name)))

    def create(owner: str) -> None:
        transport(f"sqla+postgresql://{owner}").sender(topology_of(shop("another"))).close()

    works(f"sqla+postgresql://{postgresql(create, 'carrier')}", name, tmp_path)

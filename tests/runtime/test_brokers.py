"""The transport of a URL, and what is said of other URLs."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import stamp.runtime
from stamp.errors import InputError
from stamp.runtime.brokers import KINDS, MEANT, SHOWN, transport


@pytest.mark.parametrize(
    ("url", "name", "address"),
    [
        ("amqp://user:secret@host//", "RabbitMQ", "amqp://user@host:5672"),
        ("pyamqp://me@host//", "RabbitMQ", "amqp://me@host:5672"),
        ("redis://:secret@host", "Redis", "redis://host:6379/0"),
        ("REDISS://host:7000/2", "Redis", "rediss://host:7000/2"),
        ("kafka://host:9092", "Kafka", "kafka://host:9092"),
        ("sqs://key:secret@eu-central-1", "SQS", "sqs://eu-central-1"),
        ("memory://", "Memory", "memory://"),
        ("filesystem:///var/spool/orders", "Filesystem", "filesystem:///var/spool/orders"),
        ("sqla+sqlite:////var/queues.db", "Sql", "sqla+sqlite:////var/queues.db"),
        ("sqla+postgresql://me:secret@host/orders", "Sql", "sqla+postgresql://me@host/orders"),
        ("sqla+postgres://host/orders", "Sql", "sqla+postgresql://host/orders"),
    ],
)
def test_the_transport_of_a_url(url, name, address):
    found = transport(url)
    assert (type(found).__name__, found.address) == (name, address)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "got something without that"),
        ("localhost", "got something without that"),
        ("localhost:6379", "got 'localhost'"),
        ("amqq://u:secret@host", "did you mean amqp:"),
        ("reddis://u:secret@host", "did you mean redis"),
        ("rabbitmq://u:secret@host", "did you mean amqp:"),
        ("postgresql://u:secret@host/db", "did you mean sqla\\+postgresql:"),
        ("sqlite:///stamp.db", "did you mean sqla\\+sqlite:"),
        ("sqla+mysql://u:secret@host/db", "'sqla\\+mysql'"),
        ("confluentkafka://u:secret@host", "did you mean kafka:"),
        ("http://u:secret@host", "got 'http'$"),
    ],
)
def test_other_urls_are_refused_without_a_word_of_their_passwords(url, said):
    with pytest.raises(InputError, match=said) as error:
        transport(url)
    assert "secret" not in str(error.value)


def test_what_is_shown_and_meant_is_there():
    assert set(SHOWN) <= set(KINDS)
    assert set(MEANT.values()) <= set(KINDS)


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder
class Finder(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[2]: raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
from stamp.runtime.brokers import transport
try: transport(sys.argv[1])
except Exception as error: print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize(
    ("url", "library", "said"),
    [
        (
            "redis://host",
            "redis",
            "expected the library redis, which redis: URLs need: pip install 'stamp-coupling[redis]'",
        ),
        ("kafka://host", "confluent_kafka", "pip install 'stamp-coupling[kafka]'"),
        (
            "sqs://region",
            "boto3",
            "expected the library boto3, which sqs: URLs need: pip install 'stamp-coupling[sqs]'",
        ),
        (
            "sqla+postgresql://host/db",
            "psycopg",
            "expected psycopg, which PostgreSQL needs: pip install 'stamp-coupling[postgresql]'",
        ),
        (
            "filesystem:///queues",
            "fcntl",
            "expected the library fcntl, which filesystem: URLs need and this system does not have",
        ),
    ],
)
def test_a_library_that_is_missing_is_named_with_the_way_to_get_it(url, library, said):
    answer = subprocess.run([sys.executable, "-c", WITHOUT, url, library], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("InputError: ")
    assert said in answer.stdout


def test_only_the_transport_that_is_wanted_is_imported():
    program = "import sys; from stamp.runtime.brokers import transport; transport('memory://'); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"redis", "amqp", "kombu", "confluent_kafka", "boto3", "psycopg"} & set(modules)


def test_no_name_of_the_package_is_hidden_by_a_module():
    modules = {each.name for each in pkgutil.iter_modules(stamp.runtime.__path__)}
    assert not modules & set(stamp.runtime.__all__)
    assert all(getattr(stamp.runtime, name) for name in stamp.runtime.__all__)

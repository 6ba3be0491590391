"""A database that cannot keep every text is refused when it is opened, and `stamp doctor` says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text

from stamp.cli.main import cli
from stamp.errors import InputError, StoreError
from stamp.runtime.brokers import transport
from stamp.runtime.topology import Topology
from stamp.store.store import Store

POSTGRESQL = os.environ.get("STAMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
SAID = r"expected a database with the encoding UTF8, got '.*' with {}, .*ENCODING 'UTF8'"


@pytest.fixture(scope="module", params=["LATIN1", "SQL_ASCII"])
def narrow(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    name, encoding = f"narrow_{uuid4().hex[:8]}", request.param
    server = make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
        )
    yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False), encoding
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def test_a_store_is_refused(narrow):
    url, encoding = narrow
    with pytest.raises(StoreError, match=SAID.format(encoding)):
        Store.open(url)


def test_a_transport_is_refused(narrow):
    url, encoding = narrow
    with pytest.raises(InputError, match=SAID.format(encoding)):
        transport(f"sqla+{url}").sender(Topology.of("t", {"a": ["A"]}))


def test_doctor_says_it_once(narrow):
    url, encoding = narrow
    done = CliRunner().invoke(cli, ["doctor", "--store", url], env={"COLUMNS": "300"})
    assert done.exit_code == 1
    assert f"with {encoding}" in done.output
    assert done.output.count("problem ") == 1


def test_what_a_client_is_told_of_its_encoding_does_not_matter(postgresql_url, monkeypatch):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    url = make_url(postgresql_url).update_query_dict({"client_encoding": "LATIN1"})
    with Store.open(url.render_as_string(hide_password=False)) as store, store.read() as connection:
        assert connection.scalar(text("SELECT :word"), {"word": "日本"}) == "日本"

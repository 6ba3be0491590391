"""Opening a database, and transactions."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import create_engine, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from stamp.errors import NoStoreError, StoreError
from stamp.store import directory, edition, inbox
from stamp.store.address import address
from stamp.store.edition import CURRENT
from stamp.store.store import Store
from stamp.store.tables import EDITION

VALIDATION = "ticket.validation"


def put(store, *messages):
    with store.begin() as tx:
        return inbox.put(tx, [(VALIDATION, each) for each in messages], now=1)


def take(store):
    with store.begin() as tx:
        return inbox.take(tx, [VALIDATION], limit=100, now=10, lease=60)


OF_EDITION_2 = text(
    "INSERT INTO stamp_inbox (number, consumer, event_id, workflow, workflow_id, event, arrived_at) "
    "SELECT 1000 + coalesce(max(number), 0), 'ticket.validation', :event_id, 'ticket', '1', 'TicketCreated', 1 FROM stamp_inbox"
)


WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'stamp_inbox'::regclass")


def make_edition_2(url):
    with Store.open(url) as store, store.begin() as tx:
        tx.execute(text("ALTER TABLE stamp_inbox DROP COLUMN content"))
        tx.execute(update(EDITION).values(edition=2))


@contextmanager
def connected(url, count=1, **arguments):
    """Connections to the database of a store that are not a store's."""
    engine = create_engine(address(url), connect_args=arguments)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        yield [stack.enter_context(engine.connect()) for _ in range(count)]


NO_FILES = [
    "file:x?mode=memory&uri=true",
    "file::memory:?uri=true",
    "file:%3Amemory%3A?uri=true",
    "file://localhost?uri=true",
    "file:/x?vfs=memdb&uri=true",
    "file:#x?uri=true",
    "file:%00x?uri=true",
    "file:?uri=true",
    "?uri=true",
]
"""What SQLite has in memory, or in a file without a name, in its own form of a URI."""


class TestOpen:
    def test_what_was_committed_is_there_when_it_is_opened_again(self, shared_url, message):
        with Store.open(shared_url) as store:
            put(store, message())

        with Store.open(shared_url) as store:
            assert [work.message for work in take(store)] == [message()]

    def test_every_database_in_memory_is_another(self, message):
        with Store.open("sqlite://") as one, Store.open("sqlite:///:memory:") as other:
            put(one, message())

            assert not take(other)

    def test_processes_that_start_at_once_make_the_tables_once(self, shared_url):
        program = "import sys; from stamp.store.store import Store; Store.open(sys.argv[1]).close()"
        starting = [
            subprocess.Popen([sys.executable, "-c", program, shared_url], stderr=subprocess.PIPE) for _ in range(4)
        ]

        assert [(each.communicate()[1], each.returncode) for each in starting] == [(b"", 0)] * 4
        with Store.open(shared_url, create=False) as store, store.read() as connection:
            assert connection.execute(EDITION.select()).all() == [(CURRENT,)]

    def test_tables_of_a_later_edition_are_refused(self, shared_url):
        with Store.open(shared_url) as store, store.begin() as tx:
            tx.execute(update(EDITION).values(edition=CURRENT + 1))

        with pytest.raises(StoreError, match=rf"edition {CURRENT + 1}.*edition {CURRENT}.*install"):
            Store.open(shared_url)

    def test_tables_of_an_earlier_edition_get_what_they_lack(self, shared_url):
        with Store.open(shared_url) as store, store.begin() as tx:
            tx.execute(update(EDITION).values(edition=1))
            tx.execute(text("DROP TABLE stamp_directory"))

        with pytest.raises(StoreError, match=r"edition 1.*brings them up to date"):
            Store.open(shared_url, create=False)
        with Store.open(shared_url) as store, store.read() as connection:
            assert connection.execute(EDITION.select()).all() == [(CURRENT,)]
            assert directory.read(connection, "ticket") == {}

    def test_an_inbox_of_edition_2_gets_its_column_and_goes_on(self, shared_url, message):
        put = [(VALIDATION, message(number)) for number in (1, 2)]
        with Store.open(shared_url) as store, store.begin() as tx:
            tx.execute(text("ALTER TABLE stamp_inbox DROP COLUMN content"))
            tx.execute(update(EDITION).values(edition=2))
            tx.execute(OF_EDITION_2, {"event_id": message(1).event_id})

        with Store.open(shared_url) as store, store.begin() as tx:
            assert tx.execute(EDITION.select()).all() == [(CURRENT,)]
            assert inbox.put(tx, put, now=1) == 1
            forged = [(VALIDATION, message(number, body=b"forged")) for number in (1, 2)]
            assert inbox.put(tx, forged, now=1) == 0
            assert inbox.others(tx, forged) == forged[1:]  # of the first nobody knows what it said
            tx.execute(OF_EDITION_2, {"event_id": message(3).event_id})  # a worker of then that is still running

    def test_tables_that_are_called_earlier_than_they_are_have_all_that_they_need(self, shared_url, message):
        with Store.open(shared_url) as store, store.begin() as tx:
            tx.execute(update(EDITION).values(edition=2))
            tx.execute(OF_EDITION_2, {"event_id": message(1).event_id})

        with Store.open(shared_url) as store, store.begin() as tx:
            assert tx.execute(EDITION.select()).all() == [(CURRENT,)]
            assert inbox.put(tx, [(VALIDATION, message(number)) for number in (1, 2)], now=1) == 1

    def test_a_step_to_a_new_edition_waits_for_a_transaction_and_lets_others_read(self, postgresql_url):
        make_edition_2(postgresql_url)
        with ThreadPoolExecutor() as pool, connected(postgresql_url, 2) as (holder, other):
            holder.execute(text("SELECT count(*) FROM stamp_inbox"))
            opening = pool.submit(Store.open, postgresql_url)
            while not other.execute(WAITING).scalar_one():
                assert not opening.done()
                other.rollback()
            other.execute(text("SET LOCAL statement_timeout = '3s'"))
            assert other.execute(text("SELECT count(*) FROM stamp_inbox")).scalar_one() == 0
            other.rollback()
            holder.rollback()
            with opening.result(timeout=10) as store, store.read() as connection:
                assert connection.execute(EDITION.select()).all() == [(CURRENT,)]

    def test_a_transaction_that_stays_open_in_the_way_of_a_new_edition_is_told(self, postgresql_url, monkeypatch):
        monkeypatch.setattr(edition, "TRIES", 2)
        monkeypatch.setattr(edition, "LOCK_TIMEOUT", 0.1)
        monkeypatch.setattr(edition, "PAUSE", 0.0)
        make_edition_2(postgresql_url)
        expected = r"stamp_inbox is locked .* process \d+ \(user .*'reports'\); end them"
        with connected(postgresql_url, application_name="reports") as (holder,):
            holder.execute(text("SELECT count(*) FROM stamp_inbox"))
            with pytest.raises(StoreError, match=expected):
                Store.open(postgresql_url)
        with Store.open(postgresql_url) as store, store.read() as connection:
            assert connection.execute(EDITION.select()).all() == [(CURRENT,)]

    def test_where_nobody_has_been_nothing_is_created_unasked(self, shared_url, tmp_path):
        with pytest.raises(NoStoreError, match=r"no file|no tables"):
            Store.open(shared_url, create=False)

        assert not list(tmp_path.iterdir())

    def test_a_file_is_written_ahead_and_flushed(self, tmp_path):
        with Store.open(f"sqlite:///{tmp_path / 'stamp.db'}") as store, store.read() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
            assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("", "no URL"),
            ("stamp.db", "no URL"),
            ("secret@/nowhere", "no URL"),
            ("mysql://u:secret@host/db", "begins with mysql:"),
            (
                "postgresql://u:secret@127.0.0.1:1/db",
                r"postgresql://u(:\*\*\*)?@127\.0\.0\.1:1/db cannot be used: .*refused",
            ),
            ("postgresql://u:secret@127.0.0.1:1/db?password=secret&nonsense=1", "nonsense"),
            ("sqlite:///stamp.db?timeout=soon", "cannot be opened: could not convert"),
            *((f"sqlite:///{uri}", "an SQLite URI of no file: for tests there is sqlite://") for uri in NO_FILES),
            ("sqlite:////nowhere/stamp.db", "sqlite:////nowhere/stamp.db cannot be used: unable to open"),
        ],
    )
    def test_what_cannot_be_opened_is_said_without_a_password(self, url, expected):
        with pytest.raises(StoreError, match=expected) as caught:
            Store.open(url)

        assert "secret" not in str(caught.value)

    def test_a_file_that_is_no_database_is_refused(self, tmp_path):
        (tmp_path / "notes.txt").write_bytes(b"no database " * 1_000)

        with pytest.raises(StoreError, match="not a database"):
            Store.open(f"sqlite:///{tmp_path / 'notes.txt'}")

    def test_a_server_that_does_not_answer_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            with pytest.raises(StoreError, match="timeout"):
                Store.open(f"postgresql://u@127.0.0.1:{port}/db?connect_timeout=2")

    def test_addresses_are_shown_without_password_and_options(self, shared_url):
        with Store.open(shared_url) as store:
            assert re.fullmatch(r"(sqlite:////.*/stamp\.db|postgresql://[^?]*)", store.url)
            assert store.is_shared_between_machines == store.url.startswith("postgresql:")


class TestTransaction:
    def test_what_a_handler_writes_is_committed_with_its_work_or_not_at_all(self, store, message):
        put(store, message(1), message(2))
        with store.begin() as tx:
            tx.execute(text("CREATE TABLE effect (number INTEGER UNIQUE)"))
        first, second = take(store)

        with store.begin() as tx:
            tx.execute(text("INSERT INTO effect VALUES (1)"))
            inbox.complete(tx, [first], now=11)
        with pytest.raises(IntegrityError), store.begin() as tx:  # noqa: PT012 - the transaction is what raises
            inbox.complete(tx, [second], now=11)
            tx.execute(text("INSERT INTO effect VALUES (1)"))

        with store.begin() as tx:
            assert tx.execute(text("SELECT count(*) FROM effect")).scalar_one() == 1
            assert inbox.complete(tx, [first, second], now=12) == [first]

    def test_the_part_of_one_work_can_be_taken_back(self, store, message):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message(1))], now=1)
            part = tx.begin_nested()
            inbox.put(tx, [(VALIDATION, message(2))], now=1)
            part.rollback()
            inbox.put(tx, [(VALIDATION, message(3))], now=1)

        assert [work.message for work in take(store)] == [message(1), message(3)]

    def test_a_reader_cannot_write(self, store, message):
        with pytest.raises(StoreError, match=r"read-?only"), store.read() as connection:
            inbox.put(connection, [(VALIDATION, message())], now=1)

        put(store, message())
        assert take(store)

    def test_a_reader_sees_no_half_of_a_transaction_and_waits_for_nobody(self, shared_store, message):
        with shared_store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message())], now=1)
            with shared_store.read() as connection:
                assert not inbox.is_due(connection, [VALIDATION], now=10)

        with shared_store.read() as connection:
            assert inbox.is_due(connection, [VALIDATION], now=10)

    @pytest.mark.parametrize("wrong", ["SELEKT 1", "INSERT INTO nowhere VALUES (1)"])
    def test_wrong_sql_of_a_handler_is_its_own_affair(self, store, wrong):
        with pytest.raises((OperationalError, ProgrammingError), match=r"syntax error|no such table|does not exist"):  # noqa: SIM117 - the transaction is what raises
            with store.begin() as tx:
                tx.execute(text(wrong))

    def test_a_connection_that_is_cut_is_an_error_once(self, postgresql_url, message):
        with Store.open(postgresql_url) as store, Store.open(postgresql_url) as other:
            with store.read() as connection:
                backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with other.begin() as tx:
                tx.execute(text("SELECT pg_terminate_backend(:it)"), {"it": backend})

            with pytest.raises(StoreError, match="cannot be used") as caught, store.begin() as tx:
                inbox.put(tx, [(VALIDATION, message())], now=1)

            assert type(caught.value.__cause__).__module__.startswith("psycopg")
            put(store, message())
            assert len(take(store)) == 1

    def test_a_write_lock_that_is_never_given_back_is_an_error(self, tmp_path, message, monkeypatch):
        monkeypatch.setattr("stamp.store.sqlite.PATIENCE", 0.05)
        with Store.open(f"sqlite:///{tmp_path / 'stamp.db'}") as store, store.begin():
            with pytest.raises(StoreError, match="locked") as caught, store.begin() as tx:
                inbox.put(tx, [(VALIDATION, message())], now=1)

            assert isinstance(caught.value.__cause__, sqlite3.OperationalError)

"""Whatever lies in a row of a table, its neighbours are read, nothing is raised, and what is no message becomes a dead letter."""

from __future__ import annotations

import pytest
from sqlalchemy import Integer, LargeBinary, Text, text
from sqlalchemy.exc import DBAPIError

from stamp.store import dead_letters, directory, finals, inbox, outbox, retention, starts
from stamp.store.backlog import backlog, unknown_schemas, unsent
from stamp.store.letter import Letter
from stamp.store.tables import METADATA

CHECK = "shop.check"
NOW, LATER = 1_000, 10**12
LETTER = Letter("no-envelope", "WireError", "expected an envelope")
BYTES = ("x''", "x'00'", "x'ff00'", "zeroblob(40)")
TEXTS = ("''", "'abc'", "'{bad'", "'[]'", "'{\"a\": 1}'")
NUMBERS = ("-1", "0", "5", "2147483647", "9223372036854775807", "-9223372036854775808")
ODD = ("NULL", "1.5", "CAST(x'ff' AS TEXT)", "CAST(x'eda080' AS TEXT)", "replace(hex(zeroblob(50000)), '0', '[')")
ON_POSTGRESQL = (
    (LargeBinary, ("'\\x'::bytea", "'\\x00'::bytea", "'\\xff00ff'::bytea", "NULL")),
    (Text, (*TEXTS, "repeat('[', 100000)", "NULL")),
    (Integer, (*NUMBERS, "NULL")),
)
WAYS = {
    "stamp_inbox": lambda tx, message: inbox.put(tx, [(CHECK, message)], now=NOW),
    "stamp_outbox": lambda tx, message: outbox.put(tx, [(message, CHECK)], now=NOW, resend_at=NOW),
    "stamp_dead_letter": lambda tx, message: dead_letters.bury(tx, CHECK, message, LETTER, now=NOW),
    "stamp_final": lambda tx, message: finals.put(tx, [message], now=NOW),
    "stamp_directory": lambda tx, message: directory.write(tx, "shop", {message.event_id.hex(): "{}"}, now=NOW),
    "stamp_start": lambda tx, message: starts.put(tx, {message.event_id: b"said"}, now=NOW),
}
WAYS["stamp_content"] = WAYS["stamp_inbox"]


def readings(tx):
    """Read all that there is, as workers and people do, and return what came of it."""
    works = inbox.take(tx, [CHECK], limit=9, now=LATER, lease=60)
    due = outbox.due(tx, now=LATER, limit=9, rest=lambda _: 1)
    letters = list(dead_letters.find(tx))
    for each in letters:
        dead_letters.replay(tx, each, LATER)
    final = list(finals.find(tx))
    documents = directory.read(tx, "shop")
    directory.texts(tx, "shop", prefix="")
    directory.workflows(tx)
    sorted((backlog(tx).items(), unknown_schemas(tx).items()), key=str)
    assert unsent(tx).sends >= 0
    for each in dead_letters.find(tx):
        dead_letters.discard(tx, each, LATER)
    retention.prune(tx, before=NOW, limit=9)
    assert all(isinstance(each.arrived_at, int) for each in works)
    return {
        "stamp_inbox": {each.message.event_id for each in works},
        "stamp_content": {each.message.event_id for each in works},
        "stamp_outbox": {each.message.event_id for each in due},
        "stamp_dead_letter": {each.message.event_id for each in letters},
        "stamp_final": {each.event_id for each in final},
        "stamp_directory": {bytes.fromhex(each) for each in documents if len(each) == 32},
        "stamp_start": set(),
    }


def values(tx, column):
    if tx.dialect.name == "sqlite":
        return BYTES + TEXTS + NUMBERS + ODD
    return next(found for kind, found in ON_POSTGRESQL if isinstance(column.type, kind))


def is_stored(tx, table, column, value):
    where = "WHERE number = (SELECT min(number) FROM stamp_content)" if table == "stamp_content" else WHERE[table]
    try:
        with tx.begin_nested():
            tx.exec_driver_sql(f"UPDATE {table} SET {column} = {value} {where}", ())
    except DBAPIError:
        return False
    return True


@pytest.mark.parametrize("url", ["memory", "postgresql"], indirect=True)
@pytest.mark.parametrize("table", WAYS)
def test_a_value_of_a_row_is_no_trouble_for_its_neighbours(store, message, table):
    bad, good = sorted((message(1), message(2, run="r")), key=lambda each: each.event_id)
    tried = 0
    with store.begin() as tx:
        for column in METADATA.tables[table].columns:
            for value in values(tx, column):
                with tx.begin_nested() as trial:
                    for each in (bad, good):
                        WAYS[table](tx, each)
                    if is_stored(tx, table, column.name, value):
                        tried += 1
                        if table == "stamp_start":
                            assert starts.put(tx, {good.event_id: b"said"}, now=NOW) == {good.event_id: b"said"}
                            starts.put(tx, {bad.event_id: b"said"}, now=NOW)
                        else:
                            assert good.event_id in readings(tx)[table], (column.name, value)
                        readings(tx)
                    trial.rollback()
    assert tried > 5


WHERE = {
    table: f"WHERE {name} = (SELECT {name} FROM {table} ORDER BY {name} LIMIT 1)"
    for table, name in {
        "stamp_inbox": "event_id",
        "stamp_outbox": "event_id",
        "stamp_dead_letter": "event_id",
        "stamp_final": "event_id",
        "stamp_directory": "key",
        "stamp_start": "run",
    }.items()
}


def lose_content(tx):
    tx.execute(text("DELETE FROM stamp_content"))


@pytest.mark.parametrize(
    ("change", "body"),
    [
        (lose_content, b""),
        (lambda tx: tx.execute(text("UPDATE stamp_content SET headers = '{bad'")), b"body"),
        (lambda tx: tx.execute(text("UPDATE stamp_inbox SET failures = -1")), b"body"),
        (lambda tx: tx.execute(text("UPDATE stamp_inbox SET arrived_at = -1")), b"body"),
    ],
)
def test_work_that_cannot_be_read_becomes_a_dead_letter_once(store, message, change, body):
    with store.begin() as tx:
        inbox.put(tx, [(CHECK, message(1, run="r"))], now=NOW)
        change(tx)
    for _ in range(2):
        with store.begin() as tx:
            assert not inbox.take(tx, [CHECK], limit=9, now=NOW, lease=60)
    with store.begin() as tx:
        [letter] = dead_letters.find(tx, workflow_id="r")
        assert (letter.letter.reason, letter.message.body, letter.consumer) == ("no-envelope", body, CHECK)
        assert "row of the store" in letter.letter.error_message
        assert tx.execute(text("SELECT count(*) FROM stamp_inbox")).scalar() == 1


@pytest.mark.parametrize("change", ["headers = '{bad'", "sends = 2147483647", "sends = -1"])
def test_an_outgoing_event_that_cannot_be_read_becomes_a_dead_letter(store, message, change):
    with store.begin() as tx:
        outbox.put(tx, [(message(1), CHECK), (message(2), CHECK)], now=NOW, resend_at=NOW)
        tx.execute(text(f"UPDATE stamp_outbox SET {change} {WHERE['stamp_outbox']}"))
        dead = bytes(tx.execute(text("SELECT event_id FROM stamp_outbox ORDER BY event_id")).scalar())
        [due] = outbox.due(tx, now=NOW, limit=9, rest=lambda _: 1)
        assert due.message.event_id != dead
        [letter] = dead_letters.find(tx, consumer=CHECK)
        assert (letter.letter.reason, letter.message.body) == ("no-envelope", b"body")
        assert outbox.unfinished(tx, [dead]) == []


def test_counts_do_not_grow_out_of_their_columns(store, message):
    with store.begin() as tx:
        inbox.put(tx, [(CHECK, message(1)), (CHECK, message(2))], now=NOW)
        tx.execute(text("UPDATE stamp_inbox SET attempts = 2147483647, fence = 9223372036854775807"))
        assert len(inbox.take(tx, [CHECK], limit=9, now=NOW, lease=60)) == 2


def test_a_number_that_leaves_no_room_does_not_stop_the_inbox(store, message):
    with store.begin() as tx:
        inbox.put(tx, [(CHECK, message(1))], now=NOW)
        tx.execute(text("UPDATE stamp_inbox SET number = 9223372036854775807"))
        if tx.dialect.name == "sqlite":
            tx.execute(text("UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'stamp_inbox'"))
        assert inbox.put(tx, [(CHECK, message(2))], now=NOW) == 1
        assert message(2) in [each.message for each in inbox.take(tx, [CHECK], limit=9, now=NOW, lease=60)]

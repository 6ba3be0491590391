"""A message comes out of a table as it went in, whatever a sender has put into it."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from stamp.store import inbox, record
from stamp.store.message import Message

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\\0"))
messages = st.builds(
    Message,
    texts,
    texts,
    texts,
    st.binary(min_size=16, max_size=16),
    st.binary(),
    st.dictionaries(st.text(string.printable), st.text()),
)


@given(messages)
def test_a_message_is_read_as_it_was_written(message):
    fields = record.fields(message)

    assert record.message(fields) == message
    assert all("\0" not in each for each in fields if isinstance(each, str))


@given(texts, texts)
def test_different_texts_are_different_when_they_are_written(one, other):
    assert (record.escaped(one) == record.escaped(other)) == (one == other)


@given(st.text())
def test_a_text_for_people_can_be_stored(text):
    cleaned = record.clean(text)

    assert "\0" not in cleaned
    assert cleaned.encode().decode() == cleaned


def test_a_run_is_a_number_of_8_bytes_and_no_run_is_none():
    numbers = {record.run(str(each), "consumer") for each in range(1_000)}

    assert len(numbers) == 1_000
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert record.run("", "consumer") is None
    assert record.run("4729", "a") != record.run("4729", "b")


def test_databases_take_names_of_any_size_and_content(store):
    hostile = Message("w\0", "\0\\0" + "x" * 100_000, "🙂\\", bytes(16), b"", {"a\0": "\ud800"})

    with store.begin() as tx:
        assert inbox.put(tx, [("ticket.validation", hostile)], now=1) == 1

    with store.begin() as tx:
        [work] = inbox.take(tx, ["ticket.validation"], limit=1, now=1, lease=1)
    assert work.message == hostile

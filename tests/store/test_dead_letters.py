"""What every database must do with dead letters."""

from __future__ import annotations

import pytest

from stamp.errors import InputError
from stamp.store import dead_letters, inbox
from stamp.store.letter import Letter

VALIDATION, BILLING = "ticket.validation", "ticket.billing"
LETTER = Letter("no-envelope", "WireError", "expected an envelope")


def find(store, **wanted):
    with store.read() as connection:
        return list(dead_letters.find(connection, **wanted))


def get(store, prefix, **wanted):
    with store.read() as connection:
        return dead_letters.get(connection, prefix, **wanted)


def take(store, consumer=VALIDATION, now=1_000):
    with store.begin() as tx:
        return inbox.take(tx, [consumer], limit=9, now=now, lease=60)


@pytest.fixture
def bury(store):
    def bury(message, *, consumer=VALIDATION, letter=LETTER, now=5):
        with store.begin() as tx:
            return dead_letters.bury(tx, consumer, message, letter, now=now)

    return bury


class TestBury:
    def test_what_never_was_work_is_dead_at_once_and_once(self, store, bury, message):
        assert bury(message(), now=5)
        assert not bury(message(), now=6)

        assert find(store) == [(message(), VALIDATION, LETTER, 0, 5, 5)]
        assert not take(store)

    def test_what_is_work_already_stays_work(self, store, bury, message):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message())], now=1)

        assert not bury(message())
        assert not find(store)
        assert len(take(store)) == 1

    def test_the_body_stays_as_it_came(self, store, bury, message):
        bury(message(body=bytes(range(256)) * 100))

        assert find(store)[0].message.body == bytes(range(256)) * 100


class TestLetter:
    def test_texts_are_stored_whatever_is_in_them(self, store, bury, message):
        bury(message(), letter=Letter("no-envelope", "E", "NUL \0, half a pair \ud800, é 🙂", "\0", "\0", "\udfff"))

        letter = find(store)[0].letter
        assert letter.error_message == "NUL \\0, half a pair \\ud800, é 🙂"
        assert (letter.traceback, letter.writer, letter.reader) == ("\\0", "\\0", "\\udfff")

    def test_long_texts_are_cut(self, store, bury, message):
        bury(message(), letter=Letter("r", "E" * 1_000, "m" * 100_000, "first line" + "t" * 100_000 + "last line"))

        letter = find(store)[0].letter
        assert (len(letter.error_type), len(letter.error_message), len(letter.traceback)) == (200, 16_000, 16_000)
        assert letter.traceback.endswith("last line")


class TestFind:
    def test_letters_are_found_by_what_is_known_of_them(self, store, bury, message):
        bury(message(1, run="a"), now=3)
        bury(message(2, run="b"), now=1, letter=LETTER._replace(reason="too-large"))
        bury(message(2, run="b"), now=2, consumer=BILLING)

        def numbers(**wanted):
            ids = {message(each).event_id: each for each in (1, 2)}
            return [ids[each.message.event_id] for each in find(store, **wanted)]

        assert numbers() == [2, 2, 1]
        assert numbers(consumer=VALIDATION) == [2, 1]
        assert numbers(reason="no-envelope") == [2, 1]
        assert numbers(reason="too-large", consumer=BILLING) == []
        assert numbers(workflow_id="a") == [1]
        assert numbers(prefixes=[message(1).event_id.hex()[:6], message(1).event_id.hex()[:9]]) == [1]

    def test_a_letter_is_found_by_the_first_digits_of_its_event(self, store, bury, message):
        bury(message(1))
        digits = message(1).event_id.hex()

        for prefix in (digits, digits[:1], digits[:7], digits.upper(), ""):
            assert get(store, prefix).message == message(1)

    @pytest.mark.parametrize("prefix", ["xyz", "é", "0" * 33, "0" * 34, "00  "])
    def test_other_letters_than_digits_are_no_id(self, store, prefix):
        with pytest.raises(InputError, match="the first digits of an event id"):
            get(store, prefix)

    def test_none_and_several_are_said(self, store, bury, message):
        with pytest.raises(InputError, match="no dead letter has an event id that begins with '00'"):
            get(store, "00")
        bury(message(1))
        bury(message(1), consumer=BILLING)

        with pytest.raises(InputError, match=r"2 dead letters.*ticket\.billing"):
            get(store, message(1).event_id.hex())
        assert get(store, message(1).event_id.hex(), consumer=BILLING).consumer == BILLING


class TestEnd:
    def test_a_replayed_letter_is_work_with_all_attempts(self, store, message):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message(run="a"))], now=1)
            [work] = inbox.take(tx, [VALIDATION], limit=1, now=1, lease=1)
            inbox.postpone(tx, work, until=2, error="first")
            [work] = inbox.take(tx, [VALIDATION], limit=1, now=2, lease=1)
            inbox.park(tx, work, LETTER, now=2)
        [letter] = find(store)

        with store.begin() as tx:
            assert dead_letters.replay(tx, letter, now=10)
            assert not dead_letters.replay(tx, letter, now=10)
            assert not dead_letters.discard(tx, letter, now=10)

        assert not find(store)
        assert not take(store, now=9)
        [again] = take(store, now=10)
        assert (again.message, again.attempt, again.failures) == (work.message, 1, 0)
        with store.begin() as tx:
            assert inbox.complete(tx, [work], now=11) == [work]
            assert not inbox.complete(tx, [again], now=11)

    def test_a_letter_that_died_again_is_a_letter_again(self, store, bury, message):
        bury(message(), now=5)
        with store.begin() as tx:
            dead_letters.replay(tx, find_one(tx), now=10)
            [work] = inbox.take(tx, [VALIDATION], limit=1, now=10, lease=1)
            inbox.park(tx, work, LETTER._replace(reason="again"), now=11)

        [letter] = find(store)
        assert (letter.letter.reason, letter.attempts, letter.first_at, letter.last_at) == ("again", 1, 5, 11)

    def test_a_discarded_letter_counts_as_done(self, store, bury, message):
        bury(message())
        [letter] = find(store)

        with store.begin() as tx:
            assert dead_letters.discard(tx, letter, now=10)
            assert not dead_letters.discard(tx, letter, now=10)
            assert not dead_letters.replay(tx, letter, now=10)

        assert not find(store)
        assert not bury(message())
        assert not take(store)


def find_one(connection):
    [letter] = dead_letters.find(connection)
    return letter

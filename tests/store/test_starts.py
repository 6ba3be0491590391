"""What every database must know of the beginnings of runs: who began first, whoever asks at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import func, select

from stamp.store import retention, starts
from stamp.store.store import Store
from stamp.store.tables import STARTS


def put(store, contents, now=1):
    with store.begin() as tx:
        return starts.put(tx, contents, now=now)


def test_what_began_before_is_returned_with_its_content(store):
    assert put(store, {}) == {}
    assert put(store, {b"1": b"one", b"2": b"two"}) == {}
    assert put(store, {b"2": b"two", b"3": b"three"}) == {b"2": b"two"}
    assert put(store, {b"1": b"other", b"3": b"three"}) == {b"1": b"one", b"3": b"three"}


def test_many_are_known_at_once(store):
    many = {str(number).encode(): b"content" for number in range(1_201)}
    assert put(store, many) == {}
    assert put(store, many) == many


def test_nothing_is_known_of_what_was_rolled_back(store):
    try:
        with store.begin() as tx:
            starts.put(tx, {b"1": b"one"}, now=1)
            raise KeyError
    except KeyError:
        assert put(store, {b"1": b"other"}) == {}


def test_of_those_who_begin_the_same_run_at_once_one_is_first(shared_url):
    both = Barrier(2)

    def begin(content: bytes) -> bool:
        with Store.open(shared_url) as store:
            both.wait()
            return all(put(store, {run: content}).get(run, content) == content for run in runs)

    runs = [str(number).encode() for number in range(20)]
    with ThreadPoolExecutor(2) as pool:
        was_first = list(pool.map(begin, [b"one", b"other"]))
    with Store.open(shared_url) as store:
        known = put(store, dict.fromkeys(runs, b"third"))
    assert set(known) == set(runs)
    assert was_first == [set(known.values()) == {b"one"}, set(known.values()) == {b"other"}]


def test_they_are_forgotten_after_the_horizon(store):
    put(store, {b"old": b"1"}, now=10)
    put(store, {b"new": b"1"}, now=20)
    with store.begin() as tx:
        assert retention.prune(tx, before=20, limit=100) == 1
        assert tx.execute(select(func.count()).select_from(STARTS)).scalar_one() == 1
    assert put(store, {b"old": b"2"}, now=30) == {}

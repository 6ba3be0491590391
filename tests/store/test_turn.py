"""A database in memory has one connection, which one transaction has at a time."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from stamp.errors import StoreError
from stamp.store.store import Store

PATIENCE = 20.0
"""Seconds to wait for what must come; nobody waits so long unless something is wrong."""


@pytest.fixture
def memory():
    with Store.open("sqlite://") as store:
        yield store


def test_a_transaction_within_another_is_refused_and_does_not_hang(memory):
    with memory.begin(), pytest.raises(StoreError, match="one within another"), memory.read():
        raise AssertionError

    with memory.begin():
        pass


def test_a_transaction_may_begin_in_one_thread_and_end_in_another(memory):
    stack = ExitStack()
    thread = threading.Thread(target=lambda: stack.enter_context(memory.begin()))
    thread.start()
    thread.join(PATIENCE)
    stack.close()

    with memory.begin():
        pass


def test_others_wait_for_their_turn(memory):
    order = []

    def other():
        with memory.begin():
            order.append("other")

    with memory.begin():
        thread = threading.Thread(target=other)
        thread.start()
        order.append("first")
    thread.join(PATIENCE)

    assert order == ["first", "other"]

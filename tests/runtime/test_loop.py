"""Threads that take turns, and how they are told that there is something to do."""

from __future__ import annotations

import logging
import threading

import pytest

from stamp.errors import DeliveryError, StoreError
from stamp.runtime.bell import Bell
from stamp.runtime.loop import FIRST_PAUSE, LONGEST_PAUSE, Loop

PATIENCE = 20.0
"""Seconds to wait for what must come; nobody waits so long unless something is wrong."""


class Script:
    """Turns that do one thing after the other, the names of which are told; at the end of the script the loop is told to stop."""

    def __init__(self, *turns):
        self._turns = list(turns)
        self.loop = None

    def __call__(self):
        if len(self._turns) == 1:
            self.loop.stop()
        error = self._turns.pop(0)
        if error is not None:
            raise error


def play(*turns, **options):
    """Run a loop to its end, and return it with what it failed with, and how long it waited between turns."""
    script, failures, waited = Script(*turns), [], []
    loop = script.loop = Loop("test", script, failed=failures.append, **options)
    loop._stopping.wait = waited.append
    loop.start()
    assert loop.join(PATIENCE)
    assert not loop.is_alive
    return loop, failures, waited


def test_turns_are_taken_until_it_is_told_to_stop():
    _, failures, waited = play(None, None, None)

    assert failures == []
    assert waited == []


def test_between_turns_is_a_pause():
    assert play(None, None, pause=3.0)[2] == [3.0, 3.0]


@pytest.mark.parametrize("kind", [DeliveryError, StoreError])
def test_what_fails_outside_is_told_once_and_tried_until_it_is_back(caplog, kind):
    caplog.set_level(logging.INFO)
    loop, failures, _ = play(kind("gone"), kind("gone"), kind("gone"), None)

    assert failures == []
    assert [each.getMessage() for each in caplog.records] == ["test: gone; trying again", "test: all is well again"]
    assert loop.trouble is None


def test_its_trouble_is_to_be_seen_as_long_as_it_lasts():
    loop, _, _ = play(None, DeliveryError("gone"))

    assert loop.trouble == "gone"


def test_tries_come_less_and_less_often_and_at_once_when_all_is_well():
    error = DeliveryError("gone")
    _, _, waited = play(*[error] * 8, None, error, error)

    assert waited[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(waited) == LONGEST_PAUSE
    assert waited[-2:] == [FIRST_PAUSE, 2 * FIRST_PAUSE]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_any_other_error_ends_it_and_is_reported(kind):
    error = kind("a bug")
    _, failures, _ = play(None, error, None)

    assert failures == [error]


def test_at_the_end_something_is_done_last_in_the_same_thread():
    seen = []
    play(None, None, last=lambda: seen.append(threading.current_thread().name))

    assert seen == ["stamp-test"]


def test_what_could_not_be_done_last_is_told(caplog):
    def last():
        raise DeliveryError("gone")

    _, failures, _ = play(None, last=last)

    assert failures == []
    assert "others will do it: gone" in caplog.text


def test_a_bug_in_what_is_done_last_is_reported():
    def last():
        raise ValueError("a bug")

    [error] = play(None, last=last)[1]
    assert isinstance(error, ValueError)


def test_who_joins_a_loop_that_goes_on_is_told_so():
    over = threading.Event()
    loop = Loop("test", over.wait, failed=lambda error: None)
    loop.start()

    assert not loop.join(0.01)
    loop.stop()
    over.set()
    assert loop.join(PATIENCE)


# Bells


def test_a_bell_wakes_everybody_who_waits():
    bell, woken = Bell(), []

    def listen():
        bell.wait(bell.rung, PATIENCE)
        woken.append(1)

    listeners = [threading.Thread(target=listen) for _ in range(3)]
    for each in listeners:
        each.start()
    while len(woken) < 3:
        bell.ring()
    for each in listeners:
        each.join(PATIENCE)

    assert len(woken) == 3


def test_who_was_busy_when_it_rang_does_not_wait():
    bell = Bell()
    heard = bell.rung
    bell.ring()

    bell.wait(heard, 3600)


def test_nobody_waits_for_ever():
    bell = Bell()

    bell.wait(bell.rung, 0.01)

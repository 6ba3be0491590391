"""What a receiver holds is bounded in bytes, too: the rest waits at the broker, and nothing is lost or stuck by that."""

from __future__ import annotations

from hashlib import sha256

import pytest

from .stage import bodies, collect

SIZE = 400 * 2**10
COUNT = 6
ROOM = 2**20


@pytest.fixture
def large(stage):
    """Bodies that wait in the queue of alpha; no two are the same."""
    made = [sha256(bytes([number])).digest() * (SIZE // 32) for number in range(COUNT)]
    stage.publish(*made)
    return made


def open_(stage, stack, prefetch_bytes):
    receiver = stage.transport.receiver(
        stage.topology, [stage.queue("alpha")], prefetch=100, prefetch_bytes=prefetch_bytes
    )
    stack.callback(receiver.close)
    return receiver


@pytest.mark.parametrize("room", [1, ROOM])
def test_no_more_comes_than_there_is_room_for_and_the_rest_when_there_is(stage, stack, large, room):
    receiver = open_(stage, stack, room)
    first = collect(receiver, 1, within=20)
    first += collect(receiver, COUNT, within=0.5)
    assert len(first) == 1 if room == 1 else 1 < len(first) <= ROOM // SIZE + 1
    got = bodies(first)
    receiver.acknowledge(first)
    while len(got) < COUNT:
        arrivals = collect(receiver, 1, within=20)
        assert arrivals
        got += bodies(arrivals)
        receiver.acknowledge(arrivals)
    assert sorted(got) == sorted(large)


@pytest.mark.promised("buries")
def test_what_is_large_can_be_buried_while_more_waits(stage, stack, large):
    receiver = open_(stage, stack, 1)
    buried = 0
    while buried < COUNT:
        for each in collect(receiver, 1, within=20):
            receiver.bury(each, "too large")
            buried += 1
    assert stage.leftovers(receiver) == []


def test_what_is_small_comes_together(stage, stack):
    stage.publish(*(b"%d" % number for number in range(20)))
    receiver = open_(stage, stack, ROOM)
    assert len(collect(receiver, 20, within=20)) == 20


def test_what_is_small_comes_together_also_where_room_is_short(stage, stack):
    stage.publish(*(b"%d" % number for number in range(60)))
    receiver = open_(stage, stack, ROOM)
    counts = []
    while sum(counts) < 60:
        arrivals = collect(receiver, 1, within=20)
        assert arrivals
        receiver.acknowledge(arrivals)
        counts.append(len(arrivals))
    assert max(counts) >= 4


@pytest.mark.served
def test_who_holds_as_much_as_he_may_lets_others_have_the_rest(stage, stack, large):
    full = open_(stage, stack, 1)
    held = collect(full, 1, within=20)
    full.close()
    other = open_(stage, stack, 100 * ROOM)
    assert len(held) == 1
    got = collect(other, COUNT, within=40)
    assert set(bodies(got)) >= set(large) - set(bodies(held))


def test_a_queue_of_large_messages_does_not_hold_up_another(stage, stack):
    queues = [stage.queue(step) for step in ("alpha", "gamma")]
    large = [b"%d" % number + bytes(SIZE // 8) for number in range(40)]
    small = [b"small %d" % number for number in range(5)]
    stage.publish(*large, event="Ordered")
    stage.publish(*small, event="Paid")
    receiver = stage.transport.receiver(stage.topology, queues, prefetch=20, prefetch_bytes=SIZE // 2)
    stack.callback(receiver.close)
    came: dict[bytes, str] = {}
    while len(came) < len(large + small):
        arrivals = collect(receiver, 1, within=20)
        assert arrivals
        receiver.acknowledge(arrivals)
        came |= {each.body: each.queue for each in arrivals}
    assert list(came.values())[:35].count(queues[1]) == len(small)

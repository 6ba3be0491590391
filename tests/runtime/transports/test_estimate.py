"""How many messages are asked for is bounded by what came before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stamp.runtime.transports.estimate import Estimate

LARGEST = 2**20
SIZES = st.lists(st.integers(0, LARGEST), max_size=10)


@given(st.lists(SIZES), SIZES.filter(bool), st.integers(-LARGEST, 2**40))
def test_there_is_room_for_as_many_as_the_largest_of_the_last_answer(before, last, room):
    estimate = Estimate(LARGEST)
    for each in [*before, last]:
        estimate.learn(each)
    count = estimate.count(room)
    assert count >= 1
    assert count == 1 or count * max(last) <= room


@given(st.lists(SIZES), st.integers(1, 1_000), st.integers(1, 100))
def test_small_ones_come_together_soon(before, size, count):
    estimate = Estimate(LARGEST)
    for each in [*before, *[[size]] * 20]:
        estimate.learn(each)
    assert estimate.count(size * count) == count


@given(st.lists(SIZES), st.integers(1, 2**30))
def test_more_come_step_by_step(before, room):
    estimate = Estimate(LARGEST)
    assert estimate.count(room) == max(1, room // LARGEST)
    for each in before:
        earlier = estimate.count(room)
        estimate.learn(each)
        assert estimate.count(room) <= 2 * (earlier + 1)

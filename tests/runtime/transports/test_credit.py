"""How many messages are asked for at a time, by the bytes that they take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stamp.runtime.transports.rabbitmq.credit import PROVEN, Credit

SIZES = st.lists(st.integers(0, 2**24), min_size=2, max_size=20)


@given(st.integers(1, 65_535), st.integers(1, 50), SIZES, st.integers(0, 2**30))
def test_messages_as_large_as_the_largest_fit_unless_that_is_one_of_each(most, consumers, sizes, room):
    credit = Credit(most, consumers)
    for size in sizes:
        credit.arrived(size)
    credit.fit(room, returned=1)
    assert 1 <= credit.count <= most
    assert credit.count == 1 or credit.count * consumers * max(sizes) <= room
    assert credit.count == most or (credit.count + 1) * consumers * max(1, *sizes) > room


@given(st.integers(2, 200), st.integers(1, 4))
def test_while_bodies_stay_small_it_grows_to_what_it_was(most, consumers):
    credit = Credit(most, consumers)
    credit.arrived(2**24)
    credit.fit(0, returned=1)
    while credit.count < most:
        for _ in range(PROVEN * credit.count * consumers):
            assert not credit.may_grow
            credit.arrived(1)
        assert credit.may_grow
        credit.grow()
    assert not credit.may_grow


def test_it_does_not_grow_before_what_was_returned_has_come_again():
    credit = Credit(10, 1)
    credit.arrived(100)
    credit.fit(100, returned=PROVEN + 5)
    for _ in range(PROVEN + 4):
        credit.arrived(1)
    assert not credit.may_grow
    credit.arrived(1)
    assert credit.may_grow

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.errors import InputError
from stamp.schema.values import instant
from stamp.testing import VirtualClock


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=30))])))
def test_begins_where_it_is_told_to_the_microsecond(start: datetime) -> None:
    clock = VirtualClock(start)

    assert clock.now == start
    assert instant(clock()) == start


def test_ticks_when_it_is_looked_at_and_only_then() -> None:
    clock = VirtualClock(tick=timedelta(seconds=2))

    assert clock.now == clock.now == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock() + 2_000_000 == clock()
    assert clock.now == datetime(2026, 1, 1, 0, 0, 4, tzinfo=UTC)


def test_moves_when_it_is_told_to() -> None:
    clock = VirtualClock(tick=timedelta(0))
    clock.advance(timedelta(days=1, microseconds=1))
    clock.advance(timedelta(hours=-1))

    assert clock.now == datetime(2026, 1, 1, 23, 0, 0, 1, tzinfo=UTC)
    assert clock() == clock()


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match=r"start: expected a time with its offset from UTC, got datetime\.datetime\("):
        VirtualClock(datetime(2026, 1, 1))

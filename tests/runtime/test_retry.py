"""How often, and how long in between."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.errors import InputError
from stamp.runtime.policy import Policy
from stamp.runtime.retry import RETRY, Retry


def test_what_is_due_doubles_up_to_the_longest():
    retry = Retry(first=1, longest=60)

    assert [retry.rest(failures, lambda: 1) / 1e6 for failures in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_rest_lies_between_half_of_what_is_due_and_all_of_it(failures, chance):
    due = RETRY.rest(failures, lambda: 1)

    assert due / 2 <= RETRY.rest(failures, lambda: chance) <= due


@pytest.mark.parametrize(
    "numbers",
    [
        {"attempts": 0},
        {"deaths": 0},
        {"first": 0},
        {"first": -1},
        {"first": 10, "longest": 9},
        {"first": math.nan},
        {"longest": math.nan},
        {"longest": math.inf},
    ],
)
def test_numbers_that_make_no_sense_are_refused(numbers):
    with pytest.raises(InputError, match="expected"):
        Retry(**numbers)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["concurrency", "prefetch", "lease", "resend", "horizon", "patience", "grace"])
def test_a_policy_with_numbers_that_make_no_sense_is_refused(name, value):
    with pytest.raises(InputError, match=name):
        Policy(**{name: value})


def test_any_time_is_a_patience():
    assert Policy(patience=None).patience is None

"""What is asked of many steps takes work that grows with their number and that of the events heard, not with all ways between them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from stamp.errors import ContractError
from stamp.ripple import Contracts, contracts_of, ripple
from stamp.ripple.example import files
from stamp.ripple.extent import MAX_STEPS

TODAY = date(2026, 11, 23)
START = {"emits": {"Made": "Made"}, "writes": {"Made.v1": {"n": "long"}}}
RETYPED = START | {"writes": {"Made.v1": {"n": "long"}, "Made.v2": {"n": "string"}}}


def step(name: str, *on: str) -> dict[str, Any]:
    return {
        "on": list(on),
        "emits": {f"E{name}": "R"},
        "writes": {"R.v1": {"n": "long"}},
        "reads": {"start": {"n": "long"}},
    }


def mesh(n: int) -> dict[str, Any]:
    """Return `n` steps, each of which hears the start and all others."""
    return {f"s{i}": step(f"{i}", "Made", *(f"E{j}" for j in range(n) if j != i)) for i in range(n)}


def grid(n: int) -> dict[str, Any]:
    """Return `n` steps as a square, each of which hears those above and to the left of it."""
    side = round(n**0.5)
    places = [(x, y) for x in range(side) for y in range(side)]
    return {
        f"s{x}_{y}": step(f"{x}_{y}", *([f"E{x - 1}_{y}"] * (x > 0) + [f"E{x}_{y - 1}"] * (y > 0) or ["Made"]))
        for x, y in places
    }


def chain(n: int) -> dict[str, Any]:
    """Return `n` steps one after the other."""
    return {f"s{i}": step(f"{i}", f"E{i - 1}" if i else "Made") for i in range(n)}


def calls(work: Callable[[], object]) -> int:
    """Return how many functions of Python are called: unlike seconds, the same on every machine."""
    count = 0

    def told(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(told)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def states(steps: dict[str, Any], start: dict[str, Any]) -> tuple[Contracts, Contracts]:
    now = contracts_of(files({"start": start, **steps}), name="now")
    return now, contracts_of(files({"start": START, **steps}), name="main", like=now)


@pytest.mark.parametrize("start", [START, RETYPED], ids=["as it was", "with a change that all feel"])
@pytest.mark.parametrize("shape", [mesh, grid, chain])
def test_twice_as_many_steps_take_little_more_than_the_square_of_it(
    shape: Callable[[int], dict[str, Any]], start: dict[str, Any]
) -> None:
    """Of a mesh the events that are heard are four times as many, of all shapes the steps behind each step."""
    counts = []
    for n in (16, 36) if shape is grid else (15, 34):
        now, before = states(shape(n), start)
        counts.append(calls(lambda now=now, before=before: ripple(now, [before], today=TODAY)))
    assert counts[1] < 7 * counts[0]


def test_more_steps_than_can_be_checked_in_time_are_refused(examine: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ContractError, match=r"at most 1,000 steps, got 1,002 in ticket of now: it is not checked"):
        examine({"start": START, **chain(MAX_STEPS + 1)})


def test_more_events_than_can_be_checked_in_time_are_refused(examine: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ContractError, match=r"at most 10,000 pairs .* got 10,201 in ticket of now: it is not checked"):
        examine({"start": START, **mesh(101)})


def test_a_search_for_an_order_that_is_given_up_says_so_and_is_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stamp.ripple.order.MAX_LOOKS", 1)
    steps = {"start": START, "one": step("one", "Made"), "two": {**step("two", "Eone"), "reads": {}}}
    now = contracts_of(files(steps | {"two": step("two", "Eone"), "one": step("one", "Made", "Never")}), name="now")
    report = ripple(now, [contracts_of(files(steps), name="main", like=now)], today=TODAY)
    (rollout,) = report.rollouts
    assert not rollout.is_safe
    assert rollout.phases == ()
    (found,) = (each for each in report.findings if each.rule == "no-safe-order")
    assert "none was found among the" in found.message

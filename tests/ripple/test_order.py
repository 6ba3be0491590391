"""The search for an order of deployment: that it leaves nothing out, and that it ends soon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamp.ripple.contracts import contracts_of
from stamp.ripple.example import files
from stamp.ripple.influence import groups
from stamp.ripple.order import MAX_STAGES, order
from stamp.ripple.study import Study
from stamp.ripple.transition import Transition

Steps = dict[str, dict[str, Any]]

TODAY = date(2026, 11, 23)


def transition(before: Steps, now: Steps) -> Transition:
    present = contracts_of(files(now), name="now")
    baseline = contracts_of(files(before), name="main", like=present)
    return Transition(Study(present, (baseline,), TODAY), baseline, "ticket")


EVENTS = st.sampled_from([f"E{number}" for number in range(5)])
NAMES = [f"s{number}" for number in range(5)]
TYPES = st.sampled_from(["int", "long", "string"])


@st.composite
def workflows(draw: st.DrawFn) -> Steps:
    """Steps that listen, publish and read at random; whichever there are, those of two draws have names in common."""
    steps: Steps = {"start": {"emits": {"E0": "R"}, "writes": {"R.v1": {"a": "int"}}}}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True)):
        emits = draw(st.lists(EVENTS, max_size=2, unique=True))
        steps[name] = {
            "on": draw(st.lists(EVENTS, min_size=1, max_size=2, unique=True)),
            "emits": {event: draw(st.sampled_from(["R", "Q"])) for event in emits},
            "writes": {"R.v1": {"a": "int"}, "Q.v1": {"a": "int"}},
        }
    for name in steps.keys() - {"start"}:
        read = draw(st.lists(st.sampled_from(sorted(steps)), max_size=2, unique=True))
        steps[name] |= {"reads": {each: {"a": draw(TYPES)} for each in read}}
        steps[name]["optional"] = draw(st.lists(st.sampled_from(read), unique=True)) if read else []
    return steps


@st.composite
def changes(draw: st.DrawFn) -> tuple[Steps, Steps]:
    """A workflow, and what it becomes: any of its steps may be another one, or release versions."""
    before, other = draw(workflows()), draw(workflows())
    taken = draw(st.sets(st.sampled_from(sorted({*before, *other}))))
    now = {step: said for step, said in before.items() if step not in taken}
    now |= {step: other[step] for step in taken if step in other}
    for step in now.keys() & before.keys():
        if draw(st.booleans()):
            now[step] = {**now[step], "writes": {**now[step]["writes"], "R.v2": {"a": draw(TYPES)}}}
    known = {step: {**said, "reads": {}, "optional": []} for step, said in now.items()}
    for step, said in now.items():
        reads = {name: view for name, view in said.get("reads", {}).items() if name in known}
        known[step] = {**said, "reads": reads, "optional": [name for name in said.get("optional", []) if name in reads]}
    return before, known


@settings(max_examples=60)
@given(changes(), st.data())
def test_groups_of_steps_are_never_in_each_others_way(change, data):
    moving = transition(*change)
    split = groups(moving)
    assert sorted(step for steps in split for step in steps) == sorted(moving.changed)
    if moving.changed:
        done = data.draw(st.sets(st.sampled_from(moving.changed)))
        rolling = data.draw(st.sets(st.sampled_from(moving.changed))) - done
        apart = [moving.in_the_way(done.intersection(steps), rolling.intersection(steps)) for steps in split]
        assert moving.in_the_way(done, rolling) == frozenset().union(*apart)


@settings(max_examples=80)
@given(changes())
def test_every_phase_of_an_order_is_safe_and_every_impasse_is_one(change):
    moving = transition(*change)
    if moving.hazards_after(moving.changed) - moving.known:
        return
    phases, impasses, _ = order(moving)
    done: set[str] = set()
    for steps in phases:
        assert not moving.in_the_way(done, steps)
        assert all(not moving.in_the_way(done, [step]) for step in steps)
        done.update(steps)
    assert bool(impasses) or done == set(moving.changed)
    for each in impasses:
        assert all(moving.in_the_way(each.done, [step]) for step in each.left if moving.before(step) <= each.done)
        assert any(moving.in_the_way(each.done, [step]) for step in each.left)


def beside_a_renamed_event(size: int, *, changed_start: bool = False) -> tuple[Steps, Steps]:
    """Two steps that have no order, and beside them `size` pairs of steps that may be deployed in any order."""

    def steps(*, is_new: bool) -> Steps:
        begin = "Begun" if is_new and changed_start else "Started"
        renamed = "Renamed" if is_new else "Named"
        found: Steps = {
            "start": {"emits": {"Started": "R"} | {begin: "R"}, "writes": {"R.v1": {"a": "int"}}},
            "one": {"on": ["Started"], "emits": {renamed: "R"}, "writes": {"R.v1": {"b": "int"}}},
            "other": {"on": [renamed]},
        }
        for number in range(size):
            emits = {f"A{number}": "R"} | ({f"B{number}": "R"} if is_new else {})
            found[f"a{number}"] = {"on": ["Started"], "emits": emits, "writes": {"R.v1": {"c": "int"}}}
            if is_new:
                found[f"b{number}"] = {"on": [f"B{number}"]}
        return found

    return steps(is_new=False), steps(is_new=True)


@pytest.mark.parametrize("size", [1, 10, 30])
def test_what_may_be_deployed_in_any_order_is_not_tried_in_every_order(size):
    moving = transition(*beside_a_renamed_event(size))
    (impasse,) = order(moving).impasses
    assert impasse == (frozenset(), ("one", "other"))
    assert moving.stages <= 20 * size + 20


@pytest.mark.parametrize("size", [20])
def test_a_search_among_steps_that_hang_together_is_given_up(size):
    moving = transition(*beside_a_renamed_event(size, changed_start=True))
    assert len(groups(moving)) == 1
    assert {step for each in order(moving).impasses for step in each.left} == {"one", "other"}
    assert moving.stages <= MAX_STAGES + 20 * size


def layers(count: int, width: int, prefix: str, type_: str) -> Steps:
    """A flow with `width` to the power of `count` ways."""
    found: Steps = {"start": {"emits": {"Started": "R"}, "writes": {"R.v1": {"a": "string"}}}}
    events = ["Started"]
    for layer in range(count):
        for number in range(width):
            found[f"s{layer}-{number}"] = {
                "on": events,
                "emits": {f"{prefix}{layer}.{number}": "R"},
                "writes": {"R.v1": {"a": "string"}} | ({"R.v2": {"a": type_}} if type_ != "string" else {}),
                "reads": {"start": {"a": "string"}} | ({f"s{layer - 1}-0": {"a": type_}} if layer else {}),
                "optional": [f"s{layer - 1}-0"] if layer else [],
            }
        events = [f"{prefix}{layer}.{number}" for number in range(width)]
    return found


@pytest.mark.parametrize(("count", "width"), [(20, 2), (6, 4)])
@pytest.mark.parametrize(("prefix", "type_"), [("Old", "long"), ("New", "string"), ("New", "long")])
def test_everything_may_change_at_once(count: int, width: int, prefix: str, type_: str):
    before, now = layers(count, width, "Old", "string"), layers(count, width, prefix, type_)
    moving = transition(before, now)
    assert order(moving).impasses
    assert moving.stages <= 10 * len(moving.changed)


def test_a_long_row_takes_a_stage_or_two_for_each_step(compare: Callable[..., Any]):
    size = 20
    written = {"R.v1": {"a": "int"}, "Q.v1": {"a": "int"}}

    def row(*, is_new: bool) -> Steps:
        found: Steps = {"s00": {"emits": {"E0": "R", **({"F0": "Q"} if is_new else {})}, "writes": written}}
        for number in range(1, size):
            emits = {f"E{number}": "R", **({f"F{number}": "Q"} if is_new else {})}
            on = [f"E{number - 1}", *([f"F{number - 1}"] if is_new else [])]
            found[f"s{number:02}"] = {"on": on, "emits": emits, "ends": list(emits), "writes": written}
        return found

    before, now = row(is_new=False), row(is_new=True)
    assert [phase.steps for phase in compare(before, now).phases] == [
        (f"s{each:02}",) for each in reversed(range(size))
    ]
    moving = transition(before, now)
    order(moving)
    assert moving.stages <= 3 * size**2

"""Steps that one run triggers twice: by which events, on one way or on branches; and what is no such thing."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.compat import Severity
from stamp.ripple import contracts_of
from stamp.ripple.example import files
from stamp.ripple.graph import Graph, published
from stamp.ripple.repeats import MAX_REPEATS, Network, Repeat, involved

Steps = dict[str, dict[str, Any]]


def graph(steps: Steps) -> Graph:
    return Graph.of("ticket", contracts_of(files(steps), name="now").of("ticket").values())


def repeats(graph: Graph) -> list[Repeat]:
    network = Network(graph)
    return [each for step in network.events for each in network.repeats_of(step)]


def step(on: str = "", **emits: str) -> dict[str, Any]:
    """Return a step that listens to events, and emits those of each record; `_` in an event stands for a dot."""
    events = {event.replace("_", "."): record for record, names in emits.items() for event in names.split()}
    return {
        "on": on.split(),
        "emits": events,
        "writes": {f"{record}.v1": {record.lower(): "string"} for record in emits},
    }


START = {"paid": step(A="Paid")}

TWICE: dict[str, tuple[Steps, str, tuple[str, ...], tuple[str, ...]]] = {
    "on one way": (
        {"picking": step("Paid", B="Picked"), "packing": step("Paid Picked", C="Packed")},
        "packing",
        ("Paid",),
        ("Paid", "Picked"),
    ),
    "on one way, far apart": (
        {
            "one": step("Paid", B="One"),
            "two": step("One", C="Two"),
            "three": step("Two", D="Three"),
            "last": step("One Three"),
        },
        "last",
        ("Paid", "One"),
        ("Paid", "One", "Two", "Three"),
    ),
    "by two listeners of one event": (
        {"left": step("Paid", B="Left"), "right": step("Paid", C="Right"), "last": step("Left Right")},
        "last",
        ("Paid", "Left"),
        ("Paid", "Right"),
    ),
    "by one event that two branches publish": (
        {"left": step("Paid", B="Done"), "right": step("Paid", C="Done"), "last": step("Done")},
        "last",
        ("Paid", "Done"),
        ("Paid", "Done"),
    ),
    "by two events of one outcome": (
        {"one": step("Paid", B="Left Right"), "last": step("Left Right")},
        "last",
        ("Paid", "Left"),
        ("Paid", "Right"),
    ),
    "by a failure on one branch": (
        {"left": step("Paid", B="Left"), "right": step("Paid"), "last": step("Left right.failed")},
        "last",
        ("Paid", "Left"),
        ("Paid", "right.failed"),
    ),
    "by what a loop elsewhere publishes": (
        {"ask": step("Paid More", B="Question"), "answer": step("Question", C="More"), "log": step("Paid More")},
        "log",
        ("Paid",),
        ("Paid", "Question", "More"),
    ),
    "by both branches of its own loop": (
        {
            "ask": step("Paid Left Right", B="Question"),
            "left": step("Question", C="Left"),
            "right": step("Question", D="Right"),
        },
        "ask",
        ("Paid", "Question", "Left"),
        ("Paid", "Question", "Right"),
    ),
    "where the shortest way is taken by both": (
        {
            "a": step("Paid", B="A"),
            "b": step("Paid", C="B"),
            "c": step("A B", D="C"),
            "d": step("A", E="D"),
            "e": step("B", F="E"),
            "last": step("C D E"),
        },
        "last",
        ("Paid", "A", "D"),
        ("Paid", "B", "C"),
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_step_is_triggered_twice(name: str) -> None:
    steps, last, once, again = TWICE[name]
    found = {each.step: each for each in reversed(list(repeats(graph(START | steps))))}
    assert last in found
    assert {found[last].once, found[last].again} >= ({once} if name.startswith("where") else {once, again})
    assert found[last].is_one_way is (again[: len(once)] == once and once != again)


ONCE: dict[str, Steps] = {
    "events of outcomes that exclude one another": {
        "judge": step("Paid", B="Accepted", C="Refused"),
        "last": step("Accepted Refused"),
    },
    "a result and a failure": {"judge": step("Paid", B="Accepted"), "last": step("Accepted judge.failed")},
    "failures of two steps, the second of which comes only after the first": {
        "one": step("Paid", B="One"),
        "two": step("One", C="Two"),
        "undo": step("one.failed two.failed"),
    },
    "ways that part at an outcome and meet again": {
        "judge": step("Paid", B="Accepted", C="Refused"),
        "praise": step("Accepted", D="Praised"),
        "blame": step("Refused", E="Blamed"),
        "last": step("Praised Blamed"),
    },
    "a loop through the step": {
        "ask": step("Paid More", B="Question"),
        "answer": step("Question", C="More", D="Done"),
    },
    "a step that goes on until it is content": {"work": step("Paid Again", B="Again", C="Done")},
    "a listener inside of a loop": {
        "ask": step("Paid More", B="Question"),
        "answer": step("Question", C="More", D="Done"),
        "log": step("Question"),
    },
    "two starts": {"cash": step(B="Cash"), "last": step("Paid Cash")},
    "an event that nobody publishes": {"last": step("Paid Never")},
    "what comes after a step that works twice": {
        "picking": step("Paid", B="Picked"),
        "packing": step("Paid Picked", C="Packed"),
        "last": step("Packed"),
    },
}


@pytest.mark.parametrize("name", ONCE)
def test_a_step_is_not(name: str) -> None:
    found = {each.step for each in repeats(graph(START | ONCE[name]))}
    assert found <= {"packing"}


def test_every_event_by_which_it_comes_again_is_told_once() -> None:
    steps = START | {
        "one": step("Paid", B="One"),
        "two": step("One", C="Two"),
        "audit": step("Paid One Two"),
    }
    found = list(repeats(graph(steps)))
    assert [each.event for each in found] == ["One", "Two"]
    assert involved(found) == {"Paid", "One", "Two"}


def crowd(number: int, *, more: str = "", is_first: bool = False) -> Steps:
    """Return a workflow in which one step hears what so many others make of one event."""
    events = [f"P{each}" for each in range(number)]
    events = [more, *events] if is_first else [*events, more]
    parties = {event.lower(): step("Paid", **{f"R{event}": event}) for event in events if event}
    return START | parties | {"sink": step(" ".join(events))}


class TestSeverity:
    BEFORE = START | {"picking": step("Paid", B="Picked"), "packing": step("Paid", C="Packed")}
    NOW = BEFORE | {"packing": step("Paid Picked", C="Packed")}

    def severities(self, report) -> list[Severity]:
        return [each.severity for each in report.findings if each.rule == "step-triggered-twice"]

    def test_by_itself_is_a_warning(self, examine) -> None:
        assert self.severities(examine(self.NOW)) == [Severity.WARNING]

    def test_what_a_change_brings_is_an_error(self, compare) -> None:
        assert self.severities(compare(self.BEFORE, self.NOW)) == [Severity.ERROR]

    def test_what_was_so_is_a_warning(self, compare) -> None:
        report = compare(self.NOW, self.NOW | {"log": step("Picked")})
        assert self.severities(report) == [Severity.WARNING]
        assert [each.is_known for each in report.impacts if each.finding.rule == "step-triggered-twice"] == [True]

    def test_one_more_event_of_a_step_that_is_triggered_twice_already_is_an_error(self, compare) -> None:
        more = self.NOW | {"label": step("Picked", D="Labelled"), "packing": step("Paid Picked Labelled", C="Packed")}
        report = compare(self.NOW, more)
        assert self.severities(report) == [Severity.ERROR]
        assert "by Labelled" in next(each.message for each in report.findings if each.rule == "step-triggered-twice")

    @pytest.mark.parametrize("number", [1, MAX_REPEATS - 1, MAX_REPEATS, 2 * MAX_REPEATS])
    @pytest.mark.parametrize("is_first", [True, False])
    def test_one_more_event_of_a_step_with_many_is_an_error(self, compare, number: int, is_first: bool) -> None:
        before, now = crowd(number), crowd(number, more="Zz", is_first=is_first)
        report = compare(before, now)
        assert self.severities(report) == [Severity.ERROR]
        assert "by Zz" in next(each.message for each in report.findings if each.rule == "step-triggered-twice")
        assert self.severities(compare(now, now | {"log": step("Zz")})) == [Severity.WARNING]
        assert self.severities(compare(now, before)) == ([Severity.WARNING] if number > 1 else [])

    def test_a_plan_tells_one_more_event_of_a_step_with_many(self, compare) -> None:
        number = 2 * MAX_REPEATS
        report = compare(crowd(number), crowd(number, more="Zz"))
        (rollout,) = report.rollouts
        assert any("Zz" in text for text in rollout.obstacles)

    def test_the_message_tells_how_many_it_leaves_out(self, examine) -> None:
        (found,) = (
            each.message for each in examine(crowd(3 * MAX_REPEATS)).findings if each.rule == "step-triggered-twice"
        )
        _, _, others = found.partition("; by ")
        assert others.count(",") + 1 == MAX_REPEATS - 1
        assert others.endswith(f" and {2 * MAX_REPEATS - 1} more too")

    def test_a_workflow_that_is_new_has_a_warning(self, compare) -> None:
        assert self.severities(compare({}, self.NOW)) == [Severity.WARNING]

    def test_the_message_has_the_way(self, examine) -> None:
        (found,) = (each for each in examine(self.NOW).impacts if each.finding.rule == "step-triggered-twice")
        assert found.finding.message == (
            "packing is triggered twice in one run: by Paid, and by Picked, which follows from it (Paid → Picked)"
        )
        assert found.routes == (("Paid",), ("Paid", "Picked"))
        assert found.consumer == "packing"


@st.composite
def flows(draw: st.DrawFn) -> Steps:
    """Steps without a loop, each of which hears some events of those before it."""
    steps = {"s0": step(A="e0")}
    known = ["e0"]
    for number in range(1, draw(st.integers(2, 6))):
        name = f"s{number}"
        on = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        outcomes = draw(st.lists(st.integers(1, 2), max_size=2))
        events = {
            record: " ".join(f"{name}{record}{each}" for each in range(many))
            for record, many in zip("AB", outcomes, strict=False)
        }
        steps[name] = step(" ".join(on), **events)
        known += [*steps[name]["emits"], f"{name}.failed"]
    return steps


def runs(steps: Steps) -> set[str]:
    """Return the steps that get two events in some run, in which each step works once: by looking at all runs."""
    parties = {each.step: each for each in graph(steps).parties}
    outcomes = {
        name: [[event for event in party.emits if party.emits[event] == record] for record in set(party.emits.values())]
        + [[party.fails]] * bool(party.on)
        for name, party in parties.items()
    }
    found = set()
    for chosen in product(*(outcomes[name] for name in parties)):
        said = dict(zip(parties, chosen, strict=True))
        occurring: list[str] = []
        for name, party in parties.items():  # in the order of the flow
            heard = [event for event in occurring if event in party.on]
            if len(heard) > 1:
                found.add(name)
            if heard or not party.on:
                occurring += said[name]
        assert set(occurring) <= {event for party in parties.values() for event in published(party)}
    return found


@given(flows())
def test_those_are_found_that_some_run_triggers_twice(steps: Steps) -> None:
    assert {each.step for each in repeats(graph(steps))} == runs(steps)

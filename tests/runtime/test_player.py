"""A workflow is played to its ends: nothing lost, nothing doubled, nothing left behind."""

from __future__ import annotations

import asyncio
import itertools
import queue
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import util
from types import MappingProxyType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kombu.transport import memory

from stamp.errors import UnroutableError, WireError
from stamp.runtime.player import Final, Parked, Waiting, play


@dataclass(frozen=True)
class Event:
    event: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    on: tuple[str, ...] = ()
    emits: tuple[str, ...] = ()
    fails: str = "some.failed"
    ends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scripted:
    """A workflow whose hop is a function of step and body."""

    steps: Mapping[str, Step]
    process: Callable[[str, bytes], Sequence[Event]]
    name: str = "ticket"
    elsewhere: Mapping[str, Step] = field(default_factory=dict)

    @property
    def parties(self) -> Mapping[str, Step]:
        return {**self.steps, **self.elsewhere}


def trail(steps):
    """A workflow in which each step adds its name to the body and publishes all that it may."""
    return Scripted(
        steps, lambda step, body: [Event(event, body + b" " + step.encode()) for event in steps[step].emits]
    )


CHAIN = trail(
    {
        "intake": Step(emits=("Created",)),
        "validation": Step(("Created",), ("Validated",)),
        "billing": Step(("Validated",), ("Paid",)),
    }
)

FORK = trail(
    {
        "intake": Step(emits=("Created",)),
        "billing": Step(("Created",), ("Paid",)),
        "notification": Step(("Created", "Paid"), ("Notified",)),
    }
)


def ends(played):
    return [(each.event, each.body) for each in played if isinstance(each, Final)]


def test_a_run_ends_with_the_event_that_no_step_listens_to():
    assert ends(play(CHAIN, [Event("Created", b"4729")])) == [("Paid", b"4729 validation billing")]


def test_every_listener_gets_every_event():
    assert ends(play(FORK, [Event("Created", b"1")])) == [
        ("Notified", b"1 notification"),
        ("Notified", b"1 billing notification"),
    ]


def test_a_start_that_nobody_listens_to_is_an_end():
    workflow = trail({"intake": Step(emits=("Created",))})
    assert ends(play(workflow, [Event("Created", b"1")])) == [("Created", b"1")]


def test_a_declared_end_is_one_whoever_listens_to_it_and_by_the_declaration_of_whoever_publishes_it():
    def process(step, body):
        return [Event(event, body + b" " + step.encode(), {"ce-source": f"/w/{step}"}) for event in steps[step].emits]

    steps = {
        "intake": Step(emits=("Created",)),
        "judge": Step(("Created",), ("Rejected",), ends=("Rejected",)),
        "doubt": Step(("Created",), ("Rejected",)),
        "audit": Step(("Rejected",), ("Audited",)),
        "silent": Step(("Rejected",)),
    }
    assert Counter(ends(play(Scripted(steps, process), [Event("Created", b"1")]))) == {
        ("Rejected", b"1 judge"): 1,
        ("Audited", b"1 judge audit"): 1,
        ("Audited", b"1 doubt audit"): 1,
    }


def test_nothing_is_played_without_a_start():
    assert list(play(CHAIN, [])) == []


def test_a_step_may_listen_to_what_it_emits():
    def process(step, body):
        return [Event("Again" if len(body) < 5 else "Done", body + b".")]

    workflow = Scripted({"start": Step(emits=("Again",)), "loop": Step(("Again",), ("Again", "Done"))}, process)
    assert ends(play(workflow, [Event("Again")])) == [("Done", b"......")]


def test_an_end_comes_with_the_headers_it_was_sent_with():
    headers = MappingProxyType({"ce-subject": "4729", "traceparent": "00-1-2-01"})
    workflow = Scripted(CHAIN.steps, lambda step, body: [Event("Paid", body, headers)])
    (end,) = play(workflow, [Event("Created")])
    assert end.headers == headers
    assert end.workflow_id == "4729"


def test_any_bytes_come_through_as_they_are():
    body = bytes(range(256)) * 1000
    workflow = Scripted(CHAIN.steps, lambda step, body: [Event("Paid", body)])
    assert ends(play(workflow, [Event("Created", body), Event("Created", b"")])) == [("Paid", body), ("Paid", b"")]


def test_starts_are_taken_one_by_one_and_may_be_endless():
    taken = []

    def starts():
        for number in itertools.count():
            taken.append(number)
            yield Event("Created", str(number).encode())

    played = play(CHAIN, starts())
    assert [body.split()[0] for _, body in ends(itertools.islice(played, 3))] == [b"0", b"1", b"2"]
    assert taken == [0, 1, 2]
    played.close()


# What a handler raises; kombu takes the first two for news of its own when they pass through it.
RAISED = [queue.Empty(), TimeoutError("of a request"), ValueError("no such expert"), KeyError("type"), StopIteration()]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_a_step_cannot_process_is_parked_and_the_rest_goes_on(error):
    def process(step, body):
        if (step, body) == ("billing", b"2"):
            raise error
        return [Event(event, body, {"ce-subject": body.decode()}) for event in FORK.steps[step].emits]

    played = list(play(Scripted(FORK.steps, process), [Event("Created", body) for body in (b"1", b"2", b"3")]))
    parked = [each for each in played if isinstance(each, Parked)]
    assert parked == [Parked("Created", b"2", {}, "billing", error)]
    assert Counter(ends(played)) == {("Notified", b"1"): 2, ("Notified", b"2"): 1, ("Notified", b"3"): 2}


def test_a_parked_message_says_which_run_it_belongs_to():
    def process(step, body):
        raise ValueError(body)

    (parked,) = play(Scripted(CHAIN.steps, process), [Event("Created", b"1", {"ce-subject": "4729"})])
    assert parked.workflow_id == "4729"


@pytest.mark.parametrize("error", [SystemExit(0), asyncio.CancelledError()])
def test_a_handler_that_exits_does_not_end_the_play(error):
    def process(step, body):
        raise error

    (parked,) = play(Scripted(CHAIN.steps, process), [Event("Created", b"1")])
    assert repr(error) in str(parked.error)


def test_an_interrupt_is_nobodys_failure():
    def process(step, body):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(play(Scripted(CHAIN.steps, process), [Event("Created")]))


def test_a_step_that_publishes_what_it_does_not_declare_is_parked():
    workflow = Scripted(CHAIN.steps, lambda step, body: [Event("Surprise", body)])
    (parked,) = play(workflow, [Event("Created", b"1")])
    assert (parked.step, parked.body) == ("validation", b"1")
    assert isinstance(parked.error, UnroutableError)


def test_a_failure_that_nobody_listens_to_is_an_end():
    workflow = Scripted(CHAIN.steps, lambda step, body: [Event("some.failed", body)])
    assert ends(play(workflow, [Event("Created", b"1")])) == [("some.failed", b"1")]


def test_a_start_that_nobody_knows_raises():
    with pytest.raises(UnroutableError, match="'Surprise'"):
        list(play(CHAIN, [Event("Surprise")]))


def test_a_body_that_claims_to_be_compressed_is_parked_as_it_is():
    (parked,) = play(CHAIN, [Event("Created", b"not zlib", {"compression": "application/x-gzip"})])
    assert (parked.step, parked.body) == ("validation", b"not zlib")
    assert isinstance(parked.error, WireError)


@st.composite
def workflows(draw):
    """A workflow without circles, its steps in any order."""
    steps = {"s0": Step(emits=("E0",))}
    for number in range(1, draw(st.integers(1, 6))):
        before = sorted({event for step in steps.values() for event in step.emits})
        on = draw(st.lists(st.sampled_from(before), min_size=1, max_size=3, unique=True))
        own = draw(st.integers(0, 2))
        steps[f"s{number}"] = Step(tuple(on), tuple(f"E{number}{letter}" for letter in "ab"[:own]))
    return trail(dict(draw(st.permutations(list(steps.items())))))


def follow(workflow, event):
    """The ends of a run, without any transport."""
    listeners = [name for name, step in workflow.steps.items() if event.event in step.on]
    if not listeners:
        return [(event.event, event.body)]
    return [end for name in listeners for out in workflow.process(name, event.body) for end in follow(workflow, out)]


@given(workflows())
def test_all_paths_are_walked_exactly_once(workflow):
    start = Event("E0", b"1")
    assert Counter(ends(play(workflow, [start]))) == Counter(follow(workflow, start))


# With kombu's fair cycle it would end in the middle of the queues, and `second` would come before `first` in the next run.
SILENT_TAIL = trail(
    {
        "first": Step(("E0",), ("First",)),
        "tail3": Step(("C",)),
        "tail2": Step(("B",), ("C",)),
        "tail1": Step(("A",), ("B",)),
        "second": Step(("E0",), ("A", "Second")),
    }
)


@settings(max_examples=50)
@given(workflows(), st.integers(0, 3), st.integers(0, 3))
@example(SILENT_TAIL, 1, 1)
def test_what_a_run_yields_and_in_which_order_does_not_depend_on_the_runs_before_it(workflow, one, two):
    first = [Event("E0", b"first %d" % number) for number in range(one)]
    second = [Event("E0", b"second %d" % number) for number in range(two)]
    assert list(play(workflow, first + second)) == [*play(workflow, first), *play(workflow, second)]


def test_two_plays_at_once_of_workflows_with_the_same_name_do_not_meet():
    one = play(FORK, [Event("Created", b"one %d" % number) for number in range(20)])
    two = play(FORK, [Event("Created", b"two %d" % number) for number in range(20)])
    pairs = list(zip(one, two, strict=True))
    assert len(pairs) == 40
    assert all(left.body.startswith(b"one") and right.body.startswith(b"two") for left, right in pairs)


def globals_of_kombu():
    """What outlives a connection to kombu's memory transport."""
    state = memory.Transport.global_state
    return list(memory.Channel.queues), list(state.exchanges), list(state.bindings), len(util._finalizer_registry)


@pytest.mark.parametrize(
    "leave",
    [
        list,
        lambda played: (next(played), played.close()),
        next,  # dropped without closing
    ],
    ids=["finished", "closed", "dropped"],
)
def test_a_play_leaves_nothing_behind(leave):
    before = globals_of_kombu()
    leave(play(FORK, [Event("Created")] * 3))
    assert globals_of_kombu() == before


def test_a_play_that_fails_leaves_nothing_behind():
    before = globals_of_kombu()
    with pytest.raises(UnroutableError):
        list(play(CHAIN, [Event("Created"), Event("Surprise")]))
    assert globals_of_kombu() == before


def test_no_hop_waits_for_kombu_to_poll(monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr("kombu.transport.virtual.base.sleep", slept.append)  # for a second, when it finds nothing
    assert len(list(play(CHAIN, [Event("Created")] * 20))) == 20
    assert slept == []


def test_what_is_for_a_step_that_is_not_here_waits_and_the_others_go_on():
    elsewhere = {"billing": Step(("Created",), ("Paid",)), "audit": Step(("Validated",), ends=())}
    here = {name: CHAIN.steps[name] for name in ("intake", "validation")}
    workflow = Scripted(here, CHAIN.process, elsewhere=elsewhere)
    played = list(play(workflow, [Event("Created", b"1")]))
    assert [(each.step, each.event, each.body) for each in played if isinstance(each, Waiting)] == [
        ("billing", "Created", b"1"),
        ("audit", "Validated", b"1 validation"),
    ]
    assert len(played) == 2


def test_a_declared_end_is_one_also_when_a_step_that_is_not_here_listens_to_it():
    steps = {"intake": Step(emits=("Created",)), "billing": Step(("Created",), ("Paid",), ends=("Paid",))}

    def process(step, body):
        return [Event("Paid", body, {"ce-source": f"/ticket/{step}"})]

    played = list(play(Scripted(steps, process, elsewhere={"audit": Step(("Paid",))}), [Event("Created", b"1")]))
    assert sorted(type(each).__name__ for each in played) == ["Final", "Waiting"]

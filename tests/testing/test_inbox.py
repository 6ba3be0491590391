"""The inbox of a simulation gives out work when lists in memory do, to which the inbox of a store is held, too."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from stamp.store.message import Message
from stamp.testing.inbox import Inbox, Work

from ..store.lists import Lists, Row  # noqa: TID252 - tests are no package that could be imported by its name

EVENTS = [Message("ticket", ("one", "two")[number % 2], "Event", bytes([number] * 16), b"", {}) for number in range(8)]
micros = st.integers(0, 60)


class Machine(RuleBasedStateMachine):
    """Everything that can be done with work. Time only goes forward."""

    @initialize()
    def begin_empty(self) -> None:
        self.now, self.inbox, self.lists = 1, Inbox(), Lists()

    @rule(passed=micros)
    def wait(self, passed: int) -> None:
        self.now += passed

    @rule(step=st.sampled_from("ab"), message=st.sampled_from(EVENTS))
    def put(self, step: str, message: Message) -> None:
        assert self.inbox.put(step, message, now=self.now) is self.lists.put(step, message, self.now)

    @rule(rest=micros, end=st.sampled_from(["done", "dead", "put off", "nothing"]))
    def take(self, rest: int, end: str) -> None:
        due = self.lists.due(["a", "b"], self.now)
        work = self.inbox.take(now=self.now)
        assert (work is None) is (not due)
        if work is not None:
            row = self.row_of(work)
            assert row in due
            row.attempts += 1
            self.end(work, row, rest, end)

    def end(self, work: Work, row: Row, rest: int, end: str) -> None:
        if end == "put off":
            self.inbox.put_off(work, until=self.now + rest, error="no")
            row.not_before = self.now + rest
        elif end != "nothing":
            self.inbox.complete(work)
            self.lists.end(row, end, self.now)

    @rule(number=st.integers(0, 7))
    def replay(self, number: int) -> None:
        dead = [each for each in self.lists.rows if each.state == "dead"]
        if dead:
            row = dead[number % len(dead)]
            self.inbox.replay((row.consumer, row.message.event_id), now=self.now)
            self.lists.replay(row, self.now)

    def row_of(self, work: Work) -> Row:
        row = self.lists.find(work.step, work.message)
        assert row is not None
        return row

    @invariant()
    def the_same_is_unfinished(self) -> None:
        waiting = [each for each in self.lists.rows if each.state == "waiting"]
        first = [each for each in waiting if self.lists.first_of_run(each) is each]
        assert self.inbox.due_at == min((each.not_before for each in first), default=None)
        found = {work.key: (is_later, work.attempts) for work, is_later in self.inbox.unfinished()}
        assert found == {(each.consumer, each.message.event_id): (each not in first, each.attempts) for each in waiting}


def test_it_is_what_lists_are() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=50, stateful_step_count=40, deadline=None))

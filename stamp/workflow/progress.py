"""How far a run of a workflow has come: what an envelope holds, joined with what the steps say that they listen to and emit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from stamp.envelope.contribution import Contribution, Outcome
from stamp.envelope.envelope import Envelope
from stamp.errors import WorkflowError
from stamp.workflow.wiring import Party, reachable, starting

__all__ = ["Choreography", "Progress", "progress"]


class Choreography(Protocol):
    """A workflow, as far as its progress is concerned."""

    @property
    def name(self) -> str:
        """The name of the workflow."""

    @property
    def parties(self) -> Mapping[str, Party]:
        """All its steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come, as one envelope tells. Each step is in one of the tuples, which are in the order of the flow.

    `complete` and `failed` tell how the latest work of a step ended. Those that are `waiting` have an event that they have not
    answered yet, those `ahead` may get one, if nothing fails, and those `untaken` cannot any more: they are on branches that the run
    did not take. `ends` are the events that are declared to end a run and those that nothing follows, in the order of the envelope.

    A step that emits nothing is nowhere, since no envelope can tell whether it has done its work; it is there when it has failed.
    """

    complete: tuple[str, ...]
    failed: tuple[str, ...]
    waiting: tuple[str, ...]
    ahead: tuple[str, ...]
    untaken: tuple[str, ...]
    ends: tuple[str, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing more is expected, be it because all is done or because something failed and nobody takes that up."""
        return not self.waiting

    @property
    def total(self) -> int:
        """How many steps take part; while the run goes on, how many will at most if nothing fails."""
        return len(self.complete) + len(self.failed) + len(self.waiting) + len(self.ahead)

    def __str__(self) -> str:
        said = [f"step {len(self.complete)} of {self.total} complete"]
        said += [f"{' and '.join(self.failed)} failed"] * bool(self.failed)
        said += [f"waiting for {' and '.join(self.waiting)}"] * bool(self.waiting)
        said += [f"ended with {' and '.join(dict.fromkeys(self.ends))}"] * self.ended
        return ", ".join(said)


def progress(workflow: Choreography, envelope: Envelope) -> Progress:
    """Return how far the run that an envelope is of has come.

    Where branches run side by side, the event of one branch does not know of the others: merge the latest events of all.

    Raises:
        WorkflowError: the envelope is of another workflow.
        ContractError: the contracts folder is not in order.
    """
    if envelope.workflow != workflow.name:
        text = f"expected an envelope of the workflow {workflow.name!r}, got one of {envelope.workflow!r}"
        raise WorkflowError(text)
    known, history = workflow.parties, envelope.contributions
    latest = {each.step: each.outcome for each in history}
    waiting = _waiting(known, history)
    coming = reachable(known, waiting, lambda party: [event for event in party.emits if event not in party.ends])
    groups: dict[str, list[str]] = {"complete": [], "failed": [], "waiting": [], "ahead": [], "untaken": []}
    for step in dict.fromkeys((*_flow(known), *latest)):
        if step in waiting:
            groups["waiting"].append(step)
        elif step in latest:
            groups["failed" if latest[step] is Outcome.FAILED else "complete"].append(step)
        elif known[step].emits:
            groups["ahead" if step in coming else "untaken"].append(step)
    return Progress(**{name: tuple(steps) for name, steps in groups.items()}, ends=_ends(known, history))


def _flow(known: Mapping[str, Party]) -> list[str]:
    """Return all steps, those that come sooner after a start first."""
    return list({**reachable(known, starting(known), lambda party: party.publishes), **known})


def _waiting(known: Mapping[str, Party], history: Sequence[Contribution]) -> list[str]:
    """Return the steps that have yet to answer an event; before the first event, those that may start."""
    if not history:
        return starting(known)
    answered = {(each.step, cause) for each in history for cause in each.causes}
    expected = list(_before_ends(history, known))
    return [
        step
        for step, party in known.items()
        if party.emits and any((step, each.event_id) not in answered for each in expected if each.event in party.on)
    ]


def _before_ends(history: Iterable[Contribution], known: Mapping[str, Party]) -> Iterator[Contribution]:
    """Yield the events that listeners are expected to answer: those that neither end a run nor follow from one that does."""
    after: set[bytes] = set()
    for each in history:
        if _is_end(each, known) or not after.isdisjoint(each.causes):
            after.add(each.event_id)
        else:
            yield each


def _is_end(each: Contribution, known: Mapping[str, Party]) -> bool:
    return each.step in known and each.event in known[each.step].ends


def _ends(known: Mapping[str, Party], history: Sequence[Contribution]) -> tuple[str, ...]:
    followed = {cause for each in history for cause in each.causes}
    heard = {event for party in known.values() if party.emits for event in party.on}
    return tuple(
        each.event
        for each in history
        if _is_end(each, known) or (each.event not in heard and each.event_id not in followed)
    )

"""How large workflows may be that are checked: all that is asked of them is answered in a time that is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from stamp.errors import ContractError
from stamp.ripple.contracts import Contracts
from stamp.ripple.graph import published

__all__ = ["MAX_HOPS", "MAX_STEPS", "check_extent"]

MAX_STEPS: Final = 1_000
"""The steps of a workflow."""

MAX_HOPS: Final = 10_000
"""The events of a workflow, counted for each step that may publish one with each that listens to it: 100 steps that all hear each other."""


def check_extent(states: Iterable[Contracts]) -> None:
    """Refuse states with a workflow that is larger than a check can answer for in time: no verdict is better than one that nobody waits for.

    Raises:
        ContractError: there is such a workflow.
    """
    for state in states:
        for workflow in state.workflows:
            parties = state.of(workflow).values()
            if len(parties) > MAX_STEPS:
                raise ContractError(
                    f"expected a workflow of at most {MAX_STEPS:,} steps, got {len(parties):,} in {workflow} of {state.name}: "
                    "it is not checked; part it into workflows that start one another"
                )
            listeners = Counter(event for party in parties for event in party.on)
            hops = sum(listeners[event] for party in parties for event in published(party))
            if hops > MAX_HOPS:
                raise ContractError(
                    f"expected at most {MAX_HOPS:,} pairs of a step that publishes an event and one that listens to it, got {hops:,} "
                    f"in {workflow} of {state.name}: it is not checked; let steps listen to fewer events"
                )

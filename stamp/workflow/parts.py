"""One workflow in several parts: separate services have separate `Workflow` objects of one name, each with some of its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from stamp.envelope.limits import Limits
from stamp.errors import WorkflowError
from stamp.workflow.step import Step

__all__ = ["Part", "check_parts", "steps_of"]


class Part(Protocol):
    """Some steps of a workflow, and what holds for all of its steps."""

    @property
    def name(self) -> str:
        """The name of the workflow."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps by name."""

    @property
    def contracts_folder(self) -> Path:
        """Where the contracts of the other steps are."""

    @property
    def limits(self) -> Limits:
        """The bounds of an envelope."""


def check_parts(parts: Sequence[Part], *, folder: bool) -> None:
    """Refuse parts that cannot be of one workflow; `folder` says whether they must agree on the contracts folder.

    Raises:
        WorkflowError: there are none, or their names, limits or folders differ.
    """
    if not parts:
        raise WorkflowError("expected at least one workflow, got none")
    first = parts[0]
    for each in parts:
        if each.name != first.name:
            raise WorkflowError(f"expected workflows of one name, got {first.name!r} and {each.name!r}")
        if each.limits != first.limits:
            text = f"expected workflows with the same limits, got {first.limits} and {each.limits}"
            raise WorkflowError(f"{text}: one service would refuse what another one publishes", path=first.name)
        if folder and each.contracts_folder.resolve() != first.contracts_folder.resolve():
            text = f"expected workflows with one contracts folder, got {first.contracts_folder} and {each.contracts_folder}"
            raise WorkflowError(f"{text}: say which one holds: `contracts=`, or --schemas", path=first.name)


def steps_of(parts: Sequence[Part]) -> dict[str, Step]:
    """Return the steps of all parts, in the order of their definition; one that several parts share is there once.

    Raises:
        WorkflowError: two parts define different steps of one name.
    """
    steps: dict[str, Step] = {}
    for each in parts:
        for name, step in each.steps.items():
            other = steps.setdefault(name, step)
            if other is not step and _identity(other) != _identity(step):
                text = f"expected one step of that name, got another one at {other.place['file']}:{other.place['line']}"
                raise WorkflowError(f"{text}: rename one of them, or leave its service out", path=name, **step.place)
    return steps


def _identity(step: Step) -> tuple[Any, ...]:
    """Return what is equal for the same step, wherever it is declared: what it calls, writes, listens to and publishes."""
    events = {event: model for model, each in step.emissions.items() for event, _ in each.events}
    return step.handler, events, step.on, step.fails, step.ends

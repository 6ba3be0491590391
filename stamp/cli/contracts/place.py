"""Where a command finds what services have announced, and of which workflows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from stamp.cli.service import NONE, open_broker, open_store, store_option, store_url
from stamp.errors import InputError
from stamp.runtime.directories import BrokerDirectories, Directories, StoreDirectories
from stamp.schema.release import step_folders
from stamp.workflow.names import is_workflow_name
from stamp.workflow.workflow import system_clock

__all__ = ["directories", "every_directory", "place_options", "workflow_option", "workflows"]

F = TypeVar("F", bound=Callable[..., Any])


def place_options(function: F) -> F:
    """Add what says where to look."""
    broker = click.option(
        "--broker", metavar="URL", help="Look at a broker instead: of workflows whose events go over one."
    )
    return store_option(broker(function))


def workflow_option(function: F) -> F:
    """Add what says which workflows are meant."""
    return click.option(
        "--workflow",
        "named",
        metavar="NAME",
        multiple=True,
        callback=_checked,
        help="Only this workflow. Several if need be.  [default: all; at a broker those in the contracts folder]",
    )(function)


def _checked(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for name in given:
        if not is_workflow_name(name):
            raise click.BadParameter(f"expected the name of a workflow, got {name!r}", context, parameter)
    return tuple(dict.fromkeys(given))


def directories(store: str | None, broker: str | None, *, create: bool = False) -> Directories:
    """Return the place that the options say: the broker if one is given, else the store; if no store is wanted, the broker that is set.

    Raises:
        InputError: there is none. StoreError: the store cannot be opened; without `create` it has to be there.
    """
    if broker is None and store_url(store) is not None:
        return StoreDirectories(open_store(store, create=create), system_clock)
    carrier = open_broker(broker)
    if carrier is None:
        raise InputError("expected a store or a broker, got neither")
    return BrokerDirectories(carrier)


def every_directory(store: str | None, broker: str | None) -> list[Directories]:
    """Return each place that the options say: the store and the broker, if both are given.

    Raises:
        InputError, StoreError: see `directories`.
    """
    if broker is None or store in {None, NONE}:
        return [directories(store, broker)]
    return [directories(store, None), directories(NONE, broker)]


def workflows(place: Directories, named: Sequence[str], folder: Path) -> Sequence[str]:
    """Return those that are named; else all that the place has, or where it does not tell those of a contracts folder.

    Raises:
        InputError: nobody knows which.
    """
    if named:
        return named
    found = place.workflows()
    if found is not None:
        return found
    there = {step.parent.name for step in step_folders(folder)} if folder.is_dir() else set()
    if not there:
        raise InputError(f"expected --workflow: {place.address} does not tell its workflows, and {folder} has none")
    return sorted(filter(is_workflow_name, there))

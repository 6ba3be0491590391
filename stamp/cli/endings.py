"""`stamp dlq replay` and `stamp dlq discard`: how dead letters end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import click

from stamp.cli.chosen import Choice, every, grouped, key, named
from stamp.cli.graveyards import Asked, asked, place_options, tell_missing, wanted_options
from stamp.cli.render.console import tell
from stamp.cli.render.quantity import counted
from stamp.errors import InputError
from stamp.runtime.graveyard import Dead, Graveyard

__all__ = ["choose", "discard", "replay"]

all_option = click.option("--all", "is_all", is_flag=True, help="All there are; or all of a queue, a reason, a run.")


@click.command(short_help="Have them worked on again.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@all_option
@wanted_options
@place_options
def replay(*, ids: tuple[str, ...], is_all: bool, **options: Any) -> None:
    """Have dead letters worked on again: at once, with all attempts, under the same event id.

    The failure event that their step published when they died is not taken back. Exit status: 1 if an ID names none.

    Example: stamp dlq replay --all --step billing --reason attempts-exhausted
    """
    _check(ids, is_all=is_all)
    what = asked(*ids, **options)
    choice = choose(what, named) if ids else None
    _end(what, choice, "replayed", lambda graveyard, dead: graveyard.replay(dead))


@click.command(short_help="Give them up.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@all_option
@wanted_options
@place_options
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
def discard(*, ids: tuple[str, ...], is_all: bool, is_sure: bool, **options: Any) -> None:
    """Give dead letters up for good: their bodies are deleted, and their events count as done.

    Asks before, on a terminal; where there is none, --yes must be given. Exit status: 1 if an ID names none.

    Example: stamp dlq discard 3f2a90
    """
    _check(ids, is_all=is_all)
    if not is_sure and not sys.stdin.isatty():
        raise InputError("expected --yes: there is no terminal to ask on")
    what = asked(*ids, **options)
    choice = None if is_all and is_sure else choose(what, named if ids else every)
    if choice is not None and choice.keys and not is_sure:
        click.confirm(f"Discard {counted(len(choice.keys), 'dead letter')} for good?", abort=True, err=True)
    _end(what, choice, "discarded", lambda graveyard, dead: graveyard.discard(dead))


def _check(ids: Sequence[str], *, is_all: bool) -> None:
    if bool(ids) is is_all:
        raise InputError(f"expected either ids of dead letters, or --all, got {'both' if ids else 'neither'}")


def choose(what: Asked, how: Callable[..., Choice]) -> Choice:
    """Return what `how` chooses, and tell which ids name nothing."""
    with what.open() as graveyard:
        choice = how(graveyard, what.wanted)
        tell_missing(graveyard, what.wanted)
        for digits in choice.unknown:
            tell(f"no such dead letter in {graveyard.address}: {digits}")
    return choice


def _end(what: Asked, choice: Choice | None, done: str, ending: Callable[[Graveyard, Sequence[Dead]], int]) -> None:
    """Do with letters what was asked for, with all that are wanted if there is no `choice`, and say to how many."""
    number = 0
    with what.open() as graveyard, closing(graveyard.find(what.wanted)) as found:
        is_missing = choice is None and tell_missing(graveyard, what.wanted)
        try:
            for group in grouped(dead for dead in found if choice is None or key(dead) in choice.keys):
                number += ending(graveyard, group)
        finally:
            tell(f"{counted(number, 'dead letter')} {done} in {graveyard.address}")
    if is_missing or (choice is not None and (choice.unknown or number < len(choice.keys))):
        raise click.exceptions.Exit(1)

"""`stamp dlq replay` and `stamp dlq discard`: how dead letters end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import click

from stamp.cli.chosen import grouped, named
from stamp.cli.graveyards import asked, place_options, tell_missing, tell_unknown, wanted_options
from stamp.cli.render.console import tell
from stamp.cli.render.quantity import counted
from stamp.errors import InputError
from stamp.runtime.graveyard import Dead, Graveyard

__all__ = ["discard", "replay"]

Ending = Callable[[Graveyard, Sequence[Dead]], int]

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
    _end(ids, options, "replayed", lambda graveyard, dead: graveyard.replay(dead))


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
    _end(ids, options, "discarded", lambda graveyard, dead: graveyard.discard(dead), ask=not is_sure)


def _check(ids: Sequence[str], *, is_all: bool) -> None:
    if bool(ids) is is_all:
        raise InputError(f"expected either ids of dead letters, or --all, got {'both' if ids else 'neither'}")


def _end(ids: tuple[str, ...], options: Mapping[str, Any], done: str, ending: Ending, *, ask: bool = False) -> None:
    """Do with letters what was asked for, and say to how many."""
    what = asked(*ids, **options)
    with what.open() as graveyard, closing(graveyard.find(what.wanted)) as found:
        is_amiss = tell_missing(graveyard, what.wanted)
        letters: Iterable[Dead] = found
        if ids:
            letters, unknown = named(found, what.wanted.ids)
            is_amiss = tell_unknown(graveyard, unknown) or is_amiss
        if ask:
            letters = _agreed(letters)
        number = _ended(graveyard, letters, done, ending)
    if is_amiss or (isinstance(letters, list) and number < len(letters)):
        raise click.exceptions.Exit(1)


def _agreed(letters: Iterable[Dead]) -> list[Dead]:
    """Return the letters, when somebody has agreed to lose them."""
    light = [each.without_body() for each in letters]
    if light:
        click.confirm(f"Discard {counted(len(light), 'dead letter')} for good?", abort=True, err=True)
    return light


def _ended(graveyard: Graveyard, letters: Iterable[Dead], done: str, ending: Ending) -> int:
    number = 0
    try:
        for group in grouped(letters):
            number += ending(graveyard, group)
    finally:
        tell(f"{counted(number, 'dead letter')} {done} in {graveyard.address}")
    return number

"""`stamp demo`: what stamp does, on the example workflow."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import click

from stamp.cli.demonstration import EVENTS, SCHEMAS, TICKETS, demonstrate
from stamp.cli.example import example
from stamp.cli.render.console import output_console
from stamp.cli.render.demonstration import demonstration, try_next
from stamp.errors import InputError

__all__ = ["command"]

WIDEST: Final = 100
"""Columns that are easy to read."""


@click.command(short_help="See what stamp does: the example workflow, event by event.")
@click.option(
    "--tickets",
    "number",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many are played.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep tickets, events and contracts in this folder, new or empty, to try the other commands on.",
)
def command(*, number: int, keep: Path | None) -> None:
    """Play tickets through the seven services of the example workflow, and show what one event tells in the end.

    Needs nothing but Python: the services run in this process, with a broker of their own (kombu's memory transport).
    """
    found = example()
    with _folder(keep) as folder:
        shown = demonstrate(found, folder, number)
    console = output_console()
    console.print(demonstration(shown), width=min(console.width, WIDEST))
    console.print(try_next(_commands(found.target, keep)), soft_wrap=True)  # to be copied


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="stamp-") as name:
            yield Path(name)
        return
    keep.mkdir(parents=True, exist_ok=True)
    if any(keep.iterdir()):
        raise InputError("expected a folder that is new or empty, got one with files in it", file=keep)
    yield keep


def _commands(target: str, kept: Path | None) -> Iterator[tuple[str, str]]:
    """Yield what to try next, command and purpose: commands that work as they are printed, where the user is."""
    folder = kept or next(path for path in _free_names() if not path.exists())
    if kept is None:
        yield _line("demo", "--keep", folder), "the same, and keep its files"
    events, schemas = folder / EVENTS, folder / SCHEMAS
    yield _line("decode", events, "--schemas", schemas), "read the final events"
    yield (
        _line("decode", events, "--schemas", schemas, "--at", 0, "--format", "json"),
        "how each of them began, as JSON",
    )
    out = folder / "again.avro"
    yield _line("play", target, "--input", folder / TICKETS, "--out", out), "play them yourself: change a line before"
    yield _line("export", target, "--out", schemas, "--check"), "do the contracts say what the code says?"


def _free_names() -> Iterator[Path]:
    yield Path("demo")
    yield from (Path(f"demo-{number}") for number in count(2))


def _line(*arguments: object) -> str:
    """Return a command line that runs this very program, be it on the PATH or not."""
    program, found = sys.argv[0], shutil.which("stamp")
    is_on_path = found is not None and os.path.realpath(found) == os.path.realpath(program)
    return shlex.join(["stamp" if is_on_path else program, *map(str, arguments)])

"""`stamp play`: a whole choreography in one process, from the lines of a file to a file of final events."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
from rich.text import Text

from stamp.cli.input import INPUT, name_of, opened
from stamp.cli.playing import Playing
from stamp.cli.rejects import Rejects
from stamp.cli.render.console import error_console, tell
from stamp.cli.render.playing import Meter, summary
from stamp.cli.render.visible import visible
from stamp.cli.starts import Starts, starting_step
from stamp.cli.target import load_joined, targets_argument
from stamp.cli.whole_file import WholeFile
from stamp.envelope.format import ENVELOPE, MAGIC
from stamp.errors import InputError
from stamp.schema.container import ContainerWriter

__all__ = ["command"]


@click.command(short_help="Run a whole workflow on the lines of a file.")
@targets_argument
@click.option(
    "--input",
    "source",
    required=True,
    metavar="FILE",
    type=INPUT,
    help="JSON Lines: what the starting step writes, and its workflow_id; - is standard input.",
)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the final events go: an Avro object container file of envelopes.",
)
@click.option(
    "--rejects",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where bad lines and messages that were not processed go, if there are any.  [default: OUT.rejects.jsonl]",
)
@click.option("--start", metavar="STEP", help="The starting step, when the workflow has several.")
def command(
    *,
    targets: tuple[str, ...],
    schemas: Path | None,
    source: Path,
    out: Path,
    rejects: Path | None,
    start: str | None,
) -> None:
    """Play a workflow, all its steps, on each line of a file.

    The steps run in this process, with a broker of their own between them. Every run ends in a final event, whose envelope holds
    the whole history: read it with `stamp decode`, or with any Avro library. Services whose modules have a Workflow of their own,
    of one name, are played together: name them all.

    A bad line is reported and the others are played. Nothing is lost: bad lines, what a step could not process, and what is for a
    step that has a contract and is in none of the modules, are written to the rejects, as JSON Lines whose `text` is the line as it was.

    Unknown keys make a bad line. Exit status: 1 if anything was rejected.

    Example: stamp play examples.ticket:ticket --input tickets.jsonl --out events.avro
    """
    workflow = load_joined(targets, contracts=schemas)
    workflow.check()
    for each in workflow.unresolved():
        tell(f"warning: {each}")
    starts = Starts(workflow, starting_step(workflow, start))
    if rejects is not None:
        _check_folder(rejects)
    rejects = rejects or out.with_name(f"{out.name}.rejects.jsonl")
    _check_different(source, out, rejects)
    console = error_console()
    began = time.perf_counter()
    with (
        opened(source) as stream,
        WholeFile(rejects) as rejects_file,
        WholeFile(out) as out_file,
        Meter(console, stream, _size(source)) as meter,
    ):
        playing = Playing(workflow, starts, Rejects(rejects_file), name=name_of(source), report=meter.report)
        with ContainerWriter(out_file.stream, ENVELOPE, sync=os.urandom(16)) as container:
            for body in playing.finals(stream):
                container.append(body[len(MAGIC) :])
                meter.advance()
    tally = playing.tally
    console.print(summary(tally, time.perf_counter() - began, out=str(out), rejects=str(rejects)), soft_wrap=True)
    if rejects.exists() and not rejects_file.is_begun:
        console.print(Text(visible(f"{rejects}: of an earlier play, left as it is")), soft_wrap=True)
    if tally.rejected:
        raise click.exceptions.Exit(1)


def _size(source: Path) -> int | None:
    """Return the size in bytes, where it is known beforehand."""
    return source.stat().st_size if source.is_file() else None


def _check_different(*files: Path) -> None:
    seen: set[Path] = set()
    for file in files:
        if file.resolve() in seen:
            raise InputError("expected three files for --input, --out and --rejects, got one of them twice", file=file)
        seen.add(file.resolve())


def _check_folder(file: Path) -> None:
    """Refuse a file that could not be written, before anything is played for it."""
    if not file.resolve().parent.is_dir():
        raise InputError("expected a file in a folder that is there", file=file)

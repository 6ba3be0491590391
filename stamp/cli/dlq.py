"""`stamp dlq`: dead letters, and what is to become of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from stamp.cli.catalogs import catalog_of, with_announced
from stamp.cli.chosen import named
from stamp.cli.endings import discard, replay
from stamp.cli.graveyards import Asked, asked, place_options, tell_missing, tell_unknown, wanted_options
from stamp.cli.job_log import exact_output
from stamp.cli.render import dead_letter, dead_letters
from stamp.cli.render.console import output_console
from stamp.cli.render.findings import REPORTED
from stamp.cli.render.visible import json_text
from stamp.cli.whole_file import WholeFile
from stamp.runtime.graveyard import Dead, Graveyard, Wanted
from stamp.schema.catalog import Catalog
from stamp.workflow.names import is_workflow_name
from stamp.workflow.settings import contracts_folder

__all__ = ["command"]


@click.group(short_help="See dead letters; have them worked on again, or give them up.")
def command() -> None:
    """Dead letters: messages that no worker could process, kept until a person has decided about them.

    They are in the store; with --broker those in the queues `<queue>.dead` of a broker are meant, where workers without a store bury, and
    RabbitMQ itself what it gave out too often. While you look at letters of RabbitMQ, others do not see them.

    Exit status: 1 if something that was named is not there.
    """


format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to show it."
)


@command.command("list", short_help="List them.")
@wanted_options
@place_options
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), help="Show at most so many.  [default: 50 as text, all as JSON]"
)
@format_option
def list_command(*, limit: int | None, form: str, **options: Any) -> None:
    """List dead letters, those that died first first.

    --format json writes one JSON document a line.

    Example: stamp dlq list --step billing
    """
    what = asked(**options)
    with what.open() as graveyard:
        is_missing = tell_missing(graveyard, what.wanted)
        LISTINGS[form](graveyard, what.wanted, limit)
    if is_missing:
        raise click.exceptions.Exit(1)


def _list_text(graveyard: Graveyard, wanted: Wanted, limit: int | None) -> None:
    shown: list[Dead] = []
    reasons: Counter[str] = Counter()
    for dead in graveyard.find(wanted):
        is_told = dead.letter.reason in reasons or len(reasons) < REPORTED
        reasons[dead.letter.reason if is_told else "for other reasons"] += 1
        if len(shown) < (limit or dead_letters.SHOWN):
            shown.append(dead.without_body())
    text = dead_letters.listing(shown, reasons, graveyard.address, is_filtered=wanted != Wanted())
    output_console().print(text)


def _list_json(graveyard: Graveyard, wanted: Wanted, limit: int | None) -> None:
    with closing(graveyard.find(wanted)) as found:
        for dead in islice(found, limit):
            click.echo(json_text(dead_letters.document(dead)).encode())


LISTINGS: Final[Mapping[str, Callable[[Graveyard, Wanted, int | None], None]]] = {
    "text": _list_text,
    "json": _list_json,
}


@command.command("show", short_help="Show all that is known of one.")
@click.argument("id_", metavar="ID")
@wanted_options
@place_options
@format_option
@click.option(
    "--body",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the body there, as it came; - is standard output, and then nothing else is shown.",
)
def show_command(*, id_: str, form: str, body: Path | None, **options: Any) -> None:
    """Show a dead letter: why it is one, its headers, and what its envelope holds.

    ID is as much of the event id as tells it from others.

    Example: stamp dlq show 3f2a90
    """
    what = asked(id_, **options)
    dead = _one(what)
    if body is not None:
        _write(body, dead.message.body)
    if str(body) == "-":
        return
    folder = options["schemas"] or contracts_folder()
    catalog = _catalog(what, dead, folder if folder.is_dir() else None)
    if form == "json":
        click.echo(json_text(dead_letter.document(dead, catalog)).encode())
    else:
        output_console().print(dead_letter.text(dead, catalog))


def _one(what: Asked) -> Dead:
    """Return the letter that is asked for."""
    with what.open() as graveyard, closing(graveyard.find(what.wanted)) as found:
        tell_missing(graveyard, what.wanted)
        letters, unknown = named(found, what.wanted.ids)
        tell_unknown(graveyard, unknown)
    if not letters:
        raise click.exceptions.Exit(1)
    return letters[0]


def _catalog(what: Asked, dead: Dead, folder: Path | None) -> Catalog:
    """Return the schemas that a letter is read with: those of the folder, then what is announced where the letter is."""
    workflow = dead.message.workflow
    with what.announced() as place:
        return with_announced(catalog_of(folder), place, [workflow] if is_workflow_name(workflow) else [])


def _write(file: Path, body: bytes) -> None:
    if str(file) == "-":
        exact_output().write(body)
        return
    with WholeFile(file) as whole:
        whole.stream.write(body)


command.add_command(replay)
command.add_command(discard)

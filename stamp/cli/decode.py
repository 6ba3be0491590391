"""`stamp decode`: what envelopes hold."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from stamp.cli.catalogs import catalog_of
from stamp.cli.decoding import Decoding
from stamp.cli.input import INPUT, name_of, opened
from stamp.cli.reading import Reading
from stamp.cli.render.console import error_console, output_console, tell
from stamp.cli.render.envelope import envelope_text
from stamp.cli.render.findings import findings
from stamp.cli.render.visible import json_text
from stamp.cli.source import Source, find
from stamp.envelope.document import document
from stamp.schema.catalog import Catalog
from stamp.workflow.settings import contracts_folder

__all__ = ["command"]


def _show_text(reading: Reading) -> None:
    output_console().print(envelope_text(reading), Text())


def _show_json(reading: Reading) -> None:
    click.echo(json_text(document(reading.envelope)).encode())  # in UTF-8, whatever the terminal speaks (RFC 8259, 8.1)


FORMATS: Final[Mapping[str, Callable[[Reading], None]]] = {"text": _show_text, "json": _show_json}


@click.command(short_help="Show what an envelope, or a file of envelopes, holds.")
@click.argument("source", metavar="[FILE]", type=INPUT, required=False)
@click.option("--store", metavar="URL", help="Instead of FILE: the final events of this store.")
@click.option(
    "--workflow-id", metavar="ID", help="Only those of this run; without FILE, in the store that workers use."
)
@click.option(
    "--schemas",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The contracts folder, whose schemas payloads are read with; then those that are announced in the store.  [default: ./schemas, or what the settings say]",
)
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to show it."
)
@click.option("--at", metavar="EVENT|INDEX", help="Show the envelope as it was with that event; the first one is 0.")
def command(
    *,
    source: Path | None,
    store: str | None,
    workflow_id: str | None,
    schemas: Path | None,
    form: str,
    at: str | None,
) -> None:
    """Show envelopes: their history, how long each step took, and the state with who wrote what.

    FILE, or - for standard input, is an Avro object container file of envelopes, one envelope as it is in a message, or either of
    them as hex or base64 text. --format json writes one JSON document a line, with everything; text is cut short where it is long.

    Exit status: 1 if a payload or an envelope cannot be read, or the run is not there; 2 if FILE is none of that, or damaged.

    Example: stamp decode events.avro --at TicketValidated
    """
    folder = _folder(schemas)
    decoding = Decoding(at, workflow_id)
    try:
        with _envelopes(source, store, workflow_id, catalog_of(folder)) as found:
            name = found.name
            for reading in decoding.readings(found):
                FORMATS[form](reading)
    finally:
        sys.stdout.flush()
        is_needed = folder is None and decoding.is_schema_missing
        hint = f"there is no contracts folder {contracts_folder()}: name one with --schemas" if is_needed else ""
        error_console().print(findings(decoding.findings, hint), end="", soft_wrap=True)
    if not decoding.findings and not decoding.is_anything_shown:
        _tell_that_there_is_none(name, workflow_id, is_store=source is None)
    if decoding.findings:
        raise click.exceptions.Exit(1 if decoding.is_anything_shown else 2)


def _tell_that_there_is_none(name: str, workflow_id: str | None, *, is_store: bool) -> None:
    if workflow_id is not None:
        why = ": it has not ended yet, or was never started" if is_store else ""
        tell(f"{name}: no envelope of the run {workflow_id!r}{why}")
        raise click.exceptions.Exit(1)
    tell(f"{name}: no run has ended yet" if is_store else f"{name}: no envelopes")


@contextmanager
def _envelopes(source: Path | None, store: str | None, workflow_id: str | None, catalog: Catalog) -> Iterator[Source]:
    """Return the bodies that are asked for, with what `catalog` has and what is known where they come from."""
    if source is not None and store is None:
        with opened(source) as stream:
            yield Source(find(stream), name_of(source), catalog)
    elif source is None and (store is not None or workflow_id is not None):
        from stamp.cli.finals import finals_of  # noqa: PLC0415 - SQLAlchemy takes long, and a file needs none

        with finals_of(store, workflow_id, catalog) as found:
            yield found
    else:
        both = "got both" if source is not None else "got neither"
        raise click.UsageError(f"Missing argument 'FILE', or --store: expected one of them, {both}.")


def _folder(schemas: Path | None) -> Path | None:
    """Return the contracts folder: one that nobody asked for need not be there."""
    if schemas is not None:
        return schemas
    folder = contracts_folder()
    return folder if folder.is_dir() else None

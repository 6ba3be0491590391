"""`stamp decode`: what envelopes hold."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import click
from rich.text import Text

from stamp.cli.input import INPUT, name_of, opened
from stamp.cli.reading import Reading, read
from stamp.cli.render.console import error_console, output_console
from stamp.cli.render.envelope import envelope_text
from stamp.cli.render.findings import findings
from stamp.cli.render.visible import json_text
from stamp.cli.source import GENEROUS, find
from stamp.envelope.document import document
from stamp.envelope.envelope import Envelope
from stamp.errors import InputError, MissingContributionError, StampError, UnknownSchemaError, WireError
from stamp.schema.catalog import Catalog
from stamp.workflow.settings import contracts_folder

__all__ = ["command"]

_INDEX: Final = re.compile(r"-?[0-9]{1,9}")


def _show_text(reading: Reading) -> None:
    output_console().print(envelope_text(reading), Text())


def _show_json(reading: Reading) -> None:
    click.echo(json_text(document(reading.envelope)).encode())  # in UTF-8, whatever the terminal speaks (RFC 8259, 8.1)


FORMATS: Final[Mapping[str, Callable[[Reading], None]]] = {"text": _show_text, "json": _show_json}


@click.command(short_help="Show what an envelope, or a file of envelopes, holds.")
@click.argument("source", metavar="FILE", type=INPUT)
@click.option(
    "--schemas",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The contracts folder, whose schemas payloads are read with.  [default: ./schemas, or what the settings say]",
)
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to show it."
)
@click.option("--at", metavar="EVENT|INDEX", help="Show the envelope as it was with that event; the first one is 0.")
def command(*, source: Path, schemas: Path | None, form: str, at: str | None) -> None:
    """Show envelopes: their history, how long each step took, and the state with who wrote what.

    FILE, or - for standard input, is an Avro object container file of envelopes, one envelope as it is in a message, or either of
    them as hex or base64 text. --format json writes one JSON document a line, with everything; text is cut short where it is long.

    Exit status: 1 if a payload or an envelope cannot be read; 2 if FILE is none of that, or damaged.

    Example: stamp decode events.avro --at TicketValidated
    """
    folder = _folder(schemas)
    decoding = Decoding(Catalog() if folder is None else Catalog.from_folder(folder), at)
    try:
        with opened(source) as stream:
            for reading in decoding.readings(stream, name_of(source)):
                FORMATS[form](reading)
    finally:
        sys.stdout.flush()
        is_needed = folder is None and decoding.is_schema_missing
        hint = f"there is no contracts folder {contracts_folder()}: name one with --schemas" if is_needed else ""
        error_console().print(findings(decoding.findings, hint), end="", soft_wrap=True)
    if decoding.findings:
        raise click.exceptions.Exit(1 if decoding.is_anything_shown else 2)


def _folder(schemas: Path | None) -> Path | None:
    """Return the contracts folder: one that nobody asked for need not be there."""
    if schemas is not None:
        return schemas
    folder = contracts_folder()
    return folder if folder.is_dir() else None


class Decoding:
    """Reads the envelopes of one input. `findings` counts each thing that could not be read."""

    def __init__(self, catalog: Catalog, at: str | None) -> None:
        self.findings: Counter[str] = Counter()
        self.is_anything_shown = False
        self.is_schema_missing = False
        self._catalog, self._at = catalog, at

    def readings(self, stream: IO[bytes], file: str) -> Iterator[Reading]:
        """Yield each envelope that can be read, if not all of its payloads.

        Raises:
            InputError: there are no envelopes in `stream`, or no more of them because it is damaged.
        """
        try:
            for found in find(stream):
                try:
                    reading = read(self._envelope(found.body))
                except (WireError, MissingContributionError) as error:
                    self.findings[str(_placed(error, file, found.path))] += 1
                else:
                    self.findings.update(_told(error, file, found.path) for error in reading.unread.values())
                    self.is_schema_missing |= any(
                        isinstance(error, UnknownSchemaError) for error in reading.unread.values()
                    )
                    self.is_anything_shown = True
                    yield reading
        except (WireError, InputError) as error:
            raise _placed(error, file) from error

    def _envelope(self, body: bytes) -> Envelope:
        envelope = Envelope.from_bytes(body, catalog=self._catalog, limits=GENEROUS)
        if self._at is None:
            return envelope
        is_event = any(each.event == self._at for each in envelope.contributions)
        return envelope.at(int(self._at) if _INDEX.fullmatch(self._at) and not is_event else self._at)


def _told(error: StampError, file: str, path: str | None) -> str:
    """Return what is wrong with a payload: of an unknown schema once, in however many envelopes it is."""
    return str(error if isinstance(error, UnknownSchemaError) else _placed(error, file, path))


def _placed(error: StampError, file: str, path: str | None = None) -> InputError:
    whole = ".".join(part for part in (path, error.path) if part)
    return InputError(error.message, path=whole or None, offset=error.offset, file=file)

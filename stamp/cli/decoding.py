"""Envelopes, read as far as they can be, and what is wrong with the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stamp.cli.reading import Reading, read
from stamp.cli.render.findings import Problems
from stamp.cli.source import GENEROUS, Source
from stamp.envelope.envelope import Envelope
from stamp.errors import InputError, MissingContributionError, StampError, UnknownSchemaError, WireError

__all__ = ["Decoding"]

_INDEX: Final = re.compile(r"-?[0-9]{1,9}")


class Decoding:
    """Reads the envelopes of one input, as they were `at` an event, of one run if that is wanted. `findings` counts what could not be read."""

    def __init__(self, at: str | None, workflow_id: str | None) -> None:
        self.findings = Problems()
        self.is_anything_shown = False
        self.is_schema_missing = False
        self._at, self._workflow_id = at, workflow_id

    def readings(self, source: Source) -> Iterator[Reading]:
        """Yield each envelope that can be read, if not all of its payloads.

        Raises:
            InputError: there are no envelopes, or no more of them because the file is damaged.
        """
        file = source.name
        try:
            for found in source.bodies:
                try:
                    envelope = Envelope.from_bytes(found.body, catalog=source.catalog, limits=GENEROUS)
                    if self._workflow_id not in {None, envelope.workflow_id}:
                        continue
                    reading = read(self._then(envelope))
                except (WireError, MissingContributionError) as error:
                    self.findings.add(str(_placed(error, file, found.path)))
                else:
                    for unread in reading.unread.values():
                        self.findings.add(_told(unread, file, found.path))
                    self.is_schema_missing |= any(
                        isinstance(error, UnknownSchemaError) for error in reading.unread.values()
                    )
                    self.is_anything_shown = True
                    yield reading
        except (WireError, InputError) as error:
            raise _placed(error, file) from error

    def _then(self, envelope: Envelope) -> Envelope:
        """Return an envelope as it was when that is asked for."""
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

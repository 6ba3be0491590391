"""Where writer schemas are found by their SchemaId.

A catalog is a value: `with_schema` and `merged` return another one. It is read from a folder of contracts, or put together in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike

from stamp.errors import SchemaError, UnknownSchemaError
from stamp.schema.decoder import decoder
from stamp.schema.decoding import Decoder
from stamp.schema.identity import SIZE, SchemaId, fingerprint
from stamp.schema.lint import lint
from stamp.schema.names import Schema
from stamp.schema.release import Origin, read_release, releases, step_folders

__all__ = ["Catalog", "Entry", "Origin"]


@dataclass(frozen=True)
class Entry:
    """A schema of a catalog, with its full SHA-256 and with all its origins. `schema` is for reading only."""

    id: SchemaId
    sha256: bytes
    schema: Schema
    origins: tuple[Origin, ...] = ()

    def version(self, step: str) -> int | None:
        """Return the number under which `step` released this schema, the last one if it did so again; None if it never did."""
        return max((origin.version for origin in self.origins if origin.step == step), default=None)

    @cached_property
    def decoder(self) -> Decoder:
        """The decoder of data as they were written, compiled when it is first asked for."""
        return decoder(self.schema)


class Catalog:
    """An immutable set of writer schemas, each found by its SchemaId or by the same 16 plain bytes."""

    __slots__ = ("_entries",)

    _entries: dict[bytes, Entry]

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {}
        for entry in entries:
            known = self._entries.get(entry.id)
            self._entries[entry.id] = entry if known is None else _joined(known, entry)

    @classmethod
    def from_folder(cls, path: str | PathLike[str], *, workflow: str | None = None) -> Catalog:
        """Return all released schemas of a contracts folder, or those of one workflow in it.

        Raises:
            ContractError: there is no such folder, or a schema lies in it under a name that is no version.
            SchemaError: a file is no acceptable schema of a record with the name that the file has.
        """
        found = (release for step in step_folders(path, workflow=workflow) for release in releases(step.glob("*.avsc")))
        return cls(_entry(read_release(release), release.origin) for release in found)

    def with_schema(self, schema: Schema, *, origin: Origin | None = None) -> Catalog:
        """Return this catalog and `schema`; a schema that it has already gets one origin more.

        Raises:
            SchemaError: the schema is not acceptable, or another one has its SchemaId.
        """
        lint(schema, file=None if origin is None else origin.file)
        own_copy = json.loads(json.dumps(schema))
        return self.merged(Catalog([_entry(own_copy, origin)]))

    def merged(self, other: Catalog) -> Catalog:
        """Return what either catalog has.

        Raises:
            SchemaError: two different schemas have one SchemaId.
        """
        if other._entries.items() <= self._entries.items():
            return self
        merged = Catalog()
        merged._entries = self._entries | other._entries
        for each in self._entries.keys() & other._entries.keys():
            merged._entries[each] = _joined(self._entries[each], other._entries[each])
        return merged

    def get(self, schema_id: bytes) -> Entry | None:
        """Return the entry of a SchemaId, or None."""
        return self._entries.get(schema_id)

    def lookup(self, schema_id: bytes, *, workflow: str = "", step: str = "") -> Entry:
        """Return the entry of a SchemaId that `step` of `workflow` wrote with.

        Raises:
            UnknownSchemaError: there is none.
        """
        entry = self._entries.get(schema_id)
        if entry is None:
            error = UnknownSchemaError(_what_to_do(schema_id, workflow, step, len(self)), path=step or None)
            error.schema_id = bytes(schema_id)
            raise error
        return entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, schema_id: object) -> bool:
        return schema_id in self._entries

    def __eq__(self, other: object) -> bool:
        return self._entries == other._entries if isinstance(other, Catalog) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._entries))

    def __repr__(self) -> str:
        return f"<Catalog of {len(self)} schemas>"


def _entry(schema: Schema, origin: Origin | None) -> Entry:
    sha256 = fingerprint(schema)
    return Entry(SchemaId(sha256[:SIZE]), sha256, schema, () if origin is None else (origin,))


def _joined(known: Entry, entry: Entry) -> Entry:
    if known.sha256 != entry.sha256:
        raise SchemaError(
            f"expected one schema of the SchemaId {known.id}, got another one that its full SHA-256 tells apart: "
            f"{entry.sha256.hex()}, not {known.sha256.hex()}",
            file=next((origin.file for origin in entry.origins), None),
        )
    more = tuple(origin for origin in entry.origins if origin not in known.origins)
    return replace(known, origins=known.origins + more) if more else known


def _what_to_do(schema_id: bytes, workflow: str, step: str, size: int) -> str:
    writer = f"the step {step!r} of the workflow {workflow!r}" if step else "somebody"
    where = f"{workflow or '<workflow>'}/{step or '<step>'}/<Name>.v<N>.avsc"
    return (
        f"expected a schema that the catalog knows, got the SchemaId {schema_id.hex()} in what {writer} wrote: "
        f"it is none of the {size} schemas here, so add the released file {where} of that service to the contracts folder, "
        "or have a worker or a publisher of that service announce it"
    )

"""Whether a view reads a version, asked once for each pair of files."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

from stamp.compat import Finding, Severity, Source, check
from stamp.ripple.untold import Twins, softened
from stamp.schema.jsonfile import JsonFile
from stamp.schema.resolve import sources

__all__ = ["Pair", "Pairs"]


class Pair(NamedTuple):
    """Two schemas, one of which is to read what the other one writes. The reader is a view unless it is a version of the same record.

    It is `open` when it can still be changed: what runs already, or is released, cannot. `versions` are all that there are of what is written.
    """

    reader: JsonFile
    writer: JsonFile
    is_view: bool = True
    is_open: bool = True
    versions: tuple[JsonFile, ...] = ()


class Pairs:
    """Answers about pairs of a view and a version; the same files have one answer, whatever state of the contracts they are in.

    `untold` are the versions of which it is not known what their models enforced.
    """

    def __init__(self, untold: Twins = MappingProxyType({})) -> None:
        self._untold = untold
        self._sources: dict[JsonFile, Source] = {}
        self._findings: dict[tuple[JsonFile, JsonFile], Sequence[Finding]] = {}
        self._fields: dict[tuple[JsonFile, JsonFile], frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._findings)

    def source(self, file: JsonFile) -> Source:
        """Return the schema in a file, which has been linted when the contracts were read."""
        if file not in self._sources:
            self._sources[file] = Source.of(file.schema, text=file.text.decode("utf-8-sig"), file=str(file.path))
        return self._sources[file]

    def findings(self, view: JsonFile, version: JsonFile) -> Sequence[Finding]:
        """Return what speaks against reading a version through a view."""
        if (view, version) not in self._findings:
            self._findings[view, version] = self._check(view, version)
        return self._findings[view, version]

    def _check(self, view: JsonFile, version: JsonFile) -> Sequence[Finding]:
        found = check(self.source(view), self.source(version), as_view=True)
        if version not in self._untold or not found:
            return found
        twin = self._untold[version]
        return softened(found, None if twin is None else check(self.source(view), self.source(twin), as_view=True))

    def clean(self) -> list[Pair]:
        """Return the pairs asked about that no error speaks against."""
        return [Pair(*files) for files in self._findings if not self.is_broken(*files)]

    def is_broken(self, view: JsonFile, version: JsonFile) -> bool:
        """Tell whether some data of a version cannot be read through a view, or are read wrongly."""
        return any(finding.severity is Severity.ERROR for finding in self.findings(view, version))

    def fields(self, view: JsonFile, version: JsonFile) -> frozenset[str]:
        """Return the fields of a version that a view takes something from."""
        if (view, version) not in self._fields:
            pairs = sources(self.source(view).root, self.source(version).root)
            self._fields[view, version] = frozenset(source.name for _, source in pairs if source is not None)
        return self._fields[view, version]

"""Compatibility of a history of versions: who must read whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from stamp.compat.check import check
from stamp.compat.finding import Finding, Severity
from stamp.compat.source import Schema, read_source
from stamp.errors import InputError

__all__ = ["MODES", "Comparison", "Mode", "check_versions"]


class Mode(NamedTuple):
    """Who must read whom: the newest version the older ones, they the newest; all of them, or only the one before it."""

    new_reads_old: bool
    old_reads_new: bool
    transitive: bool


MODES: Final[Mapping[str, Mode]] = {
    "BACKWARD": Mode(new_reads_old=True, old_reads_new=False, transitive=False),
    "BACKWARD_TRANSITIVE": Mode(new_reads_old=True, old_reads_new=False, transitive=True),
    "FORWARD": Mode(new_reads_old=False, old_reads_new=True, transitive=False),
    "FORWARD_TRANSITIVE": Mode(new_reads_old=False, old_reads_new=True, transitive=True),
    "FULL": Mode(new_reads_old=True, old_reads_new=True, transitive=False),
    "FULL_TRANSITIVE": Mode(new_reads_old=True, old_reads_new=True, transitive=True),
}
"""The modes of schema registries, by their usual names."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found about one pair of versions; `reader` and `writer` are their places in the history, from 0."""

    reader: int
    writer: int
    findings: Sequence[Finding]

    @property
    def is_compatible(self) -> bool:
        """Whether there is no error among the findings."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def check_versions(versions: Sequence[Schema], mode: str) -> Sequence[Comparison]:
    """Compare the last of `versions`, which are in the order of their release, with those before it.

    Every pair that `mode` asks for is in the answer, the oldest version first, compatible or not.

    Raises:
        InputError: there is no such mode.
        SchemaError: a version is no schema.
    """
    if mode not in MODES:
        raise InputError(f"expected a mode, one of {', '.join(MODES)}, got {mode}")
    sources = [read_source(version) for version in versions]
    return tuple(
        Comparison(reader, writer, check(sources[reader], sources[writer]))
        for reader, writer in _pairs(len(sources), MODES[mode])
    )


def _pairs(count: int, mode: Mode) -> Iterator[tuple[int, int]]:
    newest = count - 1
    for older in range(0 if mode.transitive else max(newest - 1, 0), newest):
        if mode.new_reads_old:
            yield newest, older
        if mode.old_reads_new:
            yield older, newest

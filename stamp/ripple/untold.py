"""Versions from before contracts said what models enforce: of those nobody knows whether they hold less than their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stamp.compat import ENFORCED, Finding, Severity
from stamp.ripple.contracts import Contracts, Version
from stamp.schema.jsonfile import JsonFile

__all__ = ["Twins", "softened", "untold"]

Twins = Mapping[JsonFile, JsonFile | None]
"""Each file from before, with the first later version of its record that has the same SchemaId and says what the model enforces."""


def untold(states: Iterable[Contracts]) -> Twins:
    """Return the files of versions that no state says more of."""
    told: set[JsonFile] = set()
    found: dict[JsonFile, JsonFile | None] = {}
    for state in states:
        for workflow, step in state.steps:
            versions = state.versions(workflow, step)
            for each in versions:
                if each.written.is_told:
                    told.add(each.file)
                else:
                    found[each.file] = _twin(each, versions) or found.get(each.file)
    return {file: twin for file, twin in found.items() if file not in told}


def _twin(version: Version, versions: Sequence[Version]) -> JsonFile | None:
    later = (each for each in versions if each.written.name == version.written.name and each.written.is_told)
    return next((each.file for each in later if each.written.id == version.written.id), None)


def softened(findings: Sequence[Finding], of_twin: Sequence[Finding] | None) -> Sequence[Finding]:
    """Return what was found about a version from before: what is about values only as far as it is known.

    A twin says what its model enforced when the contract was exported again, so what speaks against it speaks against the version. Without
    one it may be so, which is a warning.
    """
    known = None if of_twin is None else {(each.rule, each.path) for each in of_twin}
    return [
        _as_warning(each) if known is None and each.rule in ENFORCED else each
        for each in findings
        if known is None or each.rule not in ENFORCED or (each.rule, each.path) in known
    ]


def _as_warning(finding: Finding) -> Finding:
    message = f"{finding.message}, as far as is known: its file is from before contracts said what models enforce"
    return replace(finding, severity=Severity.WARNING, message=message)

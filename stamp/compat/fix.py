"""Changes that make a finding go away. Each is tried before it is offered: without the finding, and without a new error."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from stamp.compat.change import changes
from stamp.compat.check import check
from stamp.compat.finding import Finding, Fix, Severity
from stamp.compat.source import Schema, Source, read_source
from stamp.errors import SchemaError
from stamp.schema.lint import problems

__all__ = ["with_fixes"]


def with_fixes(
    findings: Sequence[Finding],
    reader: Schema,
    writer: Schema,
    *,
    as_view: bool = False,
    versions: Sequence[Schema] = (),
) -> list[Finding]:
    """Return what `check(reader, writer)` found, each finding (or the causes of it) with a fix where there is one.

    `versions` are others of what the writer writes: a field that one of them has beside another is not taken for that one renamed.
    """
    others = [read_source(each) for each in versions]
    tried = _Trial(read_source(reader), read_source(writer), findings, as_view=as_view, others=others)
    return [_with_fix(finding, tried) for finding in findings]


def _with_fix(finding: Finding, trial: _Trial) -> Finding:
    if finding.causes:
        return replace(finding, causes=tuple(_with_fix(cause, trial) for cause in finding.causes))
    return replace(finding, fix=trial.fix(finding))


class _Trial:
    def __init__(
        self,
        reader: Source,
        writer: Source,
        findings: Sequence[Finding],
        *,
        as_view: bool,
        others: Sequence[Source],
    ) -> None:
        self._others = others
        self._reader = reader
        self._writer = writer
        self._as_view = as_view
        self._errors = _keys(findings, errors_only=True)
        self._problems = len(problems(reader.document, recursion=True))

    def fix(self, finding: Finding) -> Fix | None:
        """Return the first change that proves good."""
        for change in changes(finding, self._reader, self._writer, self._others):
            values = (change.value, *change.others)
            document, *others = (_changed(self._reader.document, change.pointer, value) for value in values)
            if all(self._is_good(each, finding) for each in (document, *others)):
                return Fix("reader", change.text, json.dumps(document, ensure_ascii=False))
        return None

    def _is_good(self, document: Any, finding: Finding) -> bool:
        try:
            found = check(document, self._writer, as_view=self._as_view)
        except SchemaError:  # what would be right elsewhere may be no schema here: a second branch of one type, say
            return False
        key = finding.rule, finding.path
        is_gone = key not in _keys(found) and _keys(found, errors_only=True) <= self._errors
        return is_gone and len(problems(document, recursion=True)) <= self._problems


def _keys(findings: Sequence[Finding], *, errors_only: bool = False) -> set[tuple[str, str]]:
    leaves = (leaf for finding in findings for leaf in finding.leaves())
    return {(leaf.rule, leaf.path) for leaf in leaves if not errors_only or leaf.severity is Severity.ERROR}


def _changed(document: Any, pointer: str, value: Any) -> Any:
    if not pointer:
        return value
    changed = copy.deepcopy(document)
    *around, last = pointer.split("/")[1:]
    place = changed
    for key in around:
        place = place[int(key) if isinstance(place, list) else key]
    place[int(last) if isinstance(place, list) else last] = value
    return changed

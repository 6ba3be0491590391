"""Changes that make a finding go away. Each is tried before it is offered: without the finding, and without a new error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from stamp.compat.change import changes
from stamp.compat.check import check
from stamp.compat.finding import Finding, Fix, Severity
from stamp.compat.source import Schema, read_source
from stamp.errors import SchemaError
from stamp.schema.conventions import deviations
from stamp.schema.lint import problems

__all__ = ["MAX_FIXES", "Fixes", "with_fixes"]

MAX_FIXES: Final = 50
"""For how many findings of one pair of schemas a fix is looked for: each takes a check of the whole pair, and nobody reads more."""


def with_fixes(
    findings: Sequence[Finding],
    reader: Schema,
    writer: Schema,
    *,
    as_view: bool = False,
    versions: Sequence[Schema] = (),
) -> list[Finding]:
    """Return what `check(reader, writer)` found, the first `MAX_FIXES` (or the causes of them) with a fix where there is one.

    `versions` are others of what the writer writes: a field that one of them has beside another is not taken for that one renamed.
    """
    fixes = Fixes(findings, reader, writer, as_view=as_view, versions=versions)
    return [fixes.added_to(finding) for finding in findings]


class Fixes:
    """Looks for fixes of what `check(reader, writer)` found, as `with_fixes` does, one after the other.

    When `is_over` says that there is no time left, or enough have been looked for, findings stay as they are: `late` and `over_limit` count those.
    """

    def __init__(
        self,
        findings: Sequence[Finding],
        reader: Schema,
        writer: Schema,
        *,
        as_view: bool = False,
        versions: Sequence[Schema] = (),
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self.late = self.over_limit = 0
        self._findings = findings
        self._reader = read_source(reader)
        self._writer = read_source(writer)
        self._as_view = as_view
        self._others = [read_source(each) for each in versions]
        self._is_over = is_over
        self._tried = 0

    def added_to(self, finding: Finding) -> Finding:
        """Return a finding, or the causes of it, with the first change that proves good."""
        if finding.causes:
            return replace(finding, causes=tuple(self.added_to(cause) for cause in finding.causes))
        if self._tried >= MAX_FIXES:
            self.over_limit += 1
            return finding
        if self._is_over():
            self.late += 1
            return finding
        self._tried += 1
        return replace(finding, fix=next(self._good(finding), None))

    def _good(self, finding: Finding) -> Iterator[Fix]:
        for change in changes(finding, self._reader, self._writer, self._others):
            values = (change.value, *change.others)
            document, *others = (_changed(self._reader.document, change.pointer, value) for value in values)
            if all(self._is_good(each, finding) for each in (document, *others)):
                yield Fix("reader", change.text, json.dumps(document, ensure_ascii=False))
            if self._is_over():
                return

    def _is_good(self, document: Any, finding: Finding) -> bool:
        try:
            found = check(document, self._writer, as_view=self._as_view, fragments=False)
        except SchemaError:  # what would be right elsewhere may be no schema here: a second branch of one type, say
            return False
        key = finding.rule, finding.path
        is_gone = key not in _keys(found) and _keys(found, errors_only=True) <= self._errors
        return is_gone and _problems(document) <= self._problems

    @cached_property
    def _errors(self) -> set[tuple[str, str]]:
        return _keys(self._findings, errors_only=True)

    @cached_property
    def _problems(self) -> int:
        return _problems(self._reader.document)


def _problems(document: Any) -> int:
    """Return how much in a schema is against the bounds of contracts or the conventions: no fix adds to it."""
    return len(problems(document, recursion=True)) + len([*deviations(document)])


def _keys(findings: Sequence[Finding], *, errors_only: bool = False) -> set[tuple[str, str]]:
    leaves = (leaf for finding in findings for leaf in finding.leaves())
    return {(leaf.rule, leaf.path) for leaf in leaves if not errors_only or leaf.severity is Severity.ERROR}


def _changed(document: Any, pointer: str, value: Any) -> Any:
    """Return a document with `value` at `pointer`; what does not lead there is shared with the one that is given."""
    if not pointer:
        return value
    *around, last = pointer.split("/")[1:]
    changed = place = document.copy()
    for key in around:
        at = _key(place, key)
        place[at] = place[at].copy()
        place = place[at]
    place[_key(place, last)] = value
    return changed


def _key(place: Any, key: str) -> int | str:
    return int(key) if isinstance(place, list) else key

"""The test suite of Apache Avro's own checker for Python, run on ours."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from avro import compatibility
from avro.test import test_compatibility as upstream

from stamp.compat import Finding, Severity, Source, check
from stamp.compat.rules import STRUCTURAL


def value(finding: Finding, side: str) -> Any:
    fragment = getattr(finding, side)
    return json.loads(fragment.text)


def kind(schema: Any) -> str:
    return schema if isinstance(schema, str) else schema["type"]


MESSAGES: Mapping[str, Callable[[Any, Any], str]] = {
    "type-mismatch": lambda reader, writer: (
        f"reader type: {kind(reader)} not compatible with writer type: {kind(writer)}"
    ),
    "missing-union-branch": lambda reader, writer: f"reader union lacking writer type: {kind(writer).upper()}",
    "missing-enum-symbols": lambda reader, writer: str(set(writer) - set(reader)),
    "fixed-size-mismatch": lambda reader, writer: f"expected: {writer}, found: {reader}",
    "name-mismatch": lambda reader, writer: f"expected: {writer}",
    "reader-field-missing-default-value": lambda reader, writer: reader["name"],
}
"""How upstream words what our rules find."""


class Checker:
    """Upstream's checker, made of `check`."""

    def get_compatibility(self, reader: Any, writer: Any) -> compatibility.SchemaCompatibilityResult:
        findings = check(Source.of(json.loads(str(reader))), Source.of(json.loads(str(writer))))
        errors = [each for each in findings if each.rule in STRUCTURAL and each.severity is Severity.ERROR]
        if not errors:
            return compatibility.SchemaCompatibilityResult(compatibility.SchemaCompatibilityType.compatible)
        return compatibility.SchemaCompatibilityResult(
            compatibility.SchemaCompatibilityType.incompatible,
            [compatibility.SchemaIncompatibilityType(each.rule.replace("-", "_")) for each in errors],
            {MESSAGES[each.rule](value(each, "reader"), value(each, "writer")) for each in errors},
            {self.location(each) for each in errors},
        )

    def location(self, finding: Finding) -> str:
        """Return the pointer as upstream has it: where only the writer has a union, without the number of its branch."""
        assert finding.reader is not None
        return finding.pointer if finding.rule == "missing-union-branch" else finding.reader.pointer or "/"


@pytest.mark.parametrize("test", unittest.defaultTestLoader.getTestCaseNames(upstream.TestCompatibility))
def test_upstreams_suite_passes_on_our_checker(test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "ReaderWriterCompatibilityChecker", Checker)
    getattr(upstream.TestCompatibility(test), test)()


def test_upstreams_suite_has_as_many_pairs_as_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = []

    class Counting(Checker):
        def get_compatibility(self, reader: Any, writer: Any) -> compatibility.SchemaCompatibilityResult:
            pairs.append((reader, writer))
            return super().get_compatibility(reader, writer)

    monkeypatch.setattr(upstream, "ReaderWriterCompatibilityChecker", Counting)
    for test in unittest.defaultTestLoader.getTestCaseNames(upstream.TestCompatibility):
        getattr(upstream.TestCompatibility(test), test)()
    assert len(pairs) >= 137


def test_the_structural_rules_are_upstreams_incompatibility_types() -> None:
    names = {each.value.replace("_", "-") for each in compatibility.SchemaIncompatibilityType}
    assert names == STRUCTURAL == set(MESSAGES)

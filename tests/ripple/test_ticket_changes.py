"""What changes of the ticket example ripple into."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stamp.compat import Severity
from stamp.ripple import Report, read_folder, ripple

TODAY = date(2026, 11, 23)


@pytest.fixture
def schemas(root: Path, tmp_path: Path) -> Path:
    """A contracts folder that a test may change."""
    return Path(shutil.copytree(root / "schemas", tmp_path / "schemas"))


def report(root: Path, schemas: Path) -> Report:
    return ripple(read_folder(schemas), (read_folder(root / "schemas"),), today=TODAY)


def errors(found: Report) -> list[tuple[str, str | None, str]]:
    return [(i.finding.rule, i.consumer, i.finding.path) for i in found.impacts if i.finding.severity is Severity.ERROR]


def release(schemas: Path, step: str, name: str, change: Any) -> None:
    """Add the next version of a record, as `change` makes it of the first."""
    folder = schemas / "ticket" / step
    schema = json.loads((folder / f"{name}.v1.avsc").read_text(encoding="utf-8"))
    change(schema)
    (folder / f"{name}.v2.avsc").write_text(json.dumps(schema), encoding="utf-8")


def without(field: str) -> Any:
    def change(schema: dict[str, Any]) -> None:
        schema["fields"] = [each for each in schema["fields"] if each["name"] != field]

    return change


def test_nothing_is_said_of_what_has_not_changed(root: Path, schemas: Path) -> None:
    assert list(report(root, schemas).findings) == []


def test_a_dropped_field_breaks_those_who_read_it_and_nobody_else(root: Path, schemas: Path) -> None:
    release(schemas, "validation", "Validated", without("priority"))
    broken = {consumer for _, consumer, path in errors(report(root, schemas)) if "priority" in path}
    assert broken == {"assignment"}


def test_a_field_that_nobody_reads_can_go(root: Path, schemas: Path) -> None:
    release(schemas, "survey", "Surveyed", without("comment"))
    assert errors(report(root, schemas)) == []


def test_a_new_field_breaks_nobody(root: Path, schemas: Path) -> None:
    release(schemas, "billing", "Billed", lambda schema: schema["fields"].append({"name": "due", "type": "string"}))
    assert errors(report(root, schemas)) == []


def test_a_view_that_wants_more_than_old_events_have_breaks_on_what_waits_in_queues(root: Path, schemas: Path) -> None:
    file = schemas / "ticket" / "survey" / "reads" / "billing.avsc"
    view = json.loads(file.read_text(encoding="utf-8"))
    view["fields"].append({"name": "due", "type": "string"})
    file.write_text(json.dumps(view), encoding="utf-8")
    broken = {consumer for _, consumer, path in errors(report(root, schemas)) if "due" in path}
    assert broken == {"survey"}

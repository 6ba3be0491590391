"""A walk through changes of the ticket example: what `stamp check` says of each, kept word for word in `walk/`.

A file that is missing is written, and its test fails once: delete those whose words have changed on purpose, run, and read what is new.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stamp.cli.main import cli

HERE = Path(__file__).parent / "walk"
JSON = dict[str, Any]
Change = Callable[[Path], None]


def edit(file: Path, change: Callable[[JSON], None], to: Path | None = None) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    change(document)
    (to or file).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def release(ticket: Path, record: str, change: Callable[[JSON], None]) -> None:
    """Release the second version of a record (`validation/Validated`)."""
    edit(ticket / f"{record}.v1.avsc", change, ticket / f"{record}.v2.avsc")


def field(record: JSON, name: str) -> JSON:
    return next(each for each in record["fields"] if each["name"] == name)


def rename(name: str, new: str, *, alias: bool = False) -> Callable[[JSON], None]:
    def change(record: JSON) -> None:
        found = field(record, name)
        found["name"] = new
        if alias:
            found["aliases"] = [name]

    return change


def drop(name: str) -> Callable[[JSON], None]:
    return lambda record: record["fields"].remove(field(record, name))


def add(name: str, type_: Any) -> Callable[[JSON], None]:
    return lambda record: record["fields"].append({"name": name, "type": type_})


def retype(name: str, type_: Any) -> Callable[[JSON], None]:
    return lambda record: field(record, name).update(type=type_)


def symbol(name: str, new: str) -> Callable[[JSON], None]:
    return lambda record: field(record, name)["type"]["symbols"].append(new)


def a_field_is_renamed(ticket: Path) -> None:
    release(ticket, "validation/Validated", rename("priority", "urgency"))


def a_field_is_renamed_and_its_readers_know_both_names(ticket: Path) -> None:
    release(ticket, "validation/Validated", rename("priority", "urgency"))
    edit(ticket / "assignment" / "reads" / "validation.avsc", rename("priority", "urgency", alias=True))


def a_field_that_somebody_reads_is_dropped(ticket: Path) -> None:
    release(ticket, "resolution/Resolved", drop("minutes"))


def a_field_that_nobody_reads_is_dropped(ticket: Path) -> None:
    release(ticket, "survey/Surveyed", drop("comment"))


def a_type_is_changed(ticket: Path) -> None:
    release(ticket, "ticket/Ticket", retype("created_at", "string"))


def an_enum_gets_a_symbol(ticket: Path) -> None:
    release(ticket, "validation/Validated", symbol("priority", "URGENT"))


def an_enum_gets_a_symbol_and_its_reader_too(ticket: Path) -> None:
    release(ticket, "validation/Validated", symbol("priority", "URGENT"))
    edit(ticket / "assignment" / "reads" / "validation.avsc", symbol("priority", "URGENT"))


def a_decimal_gets_more_digits(ticket: Path) -> None:
    wider = {"type": "bytes", "logicalType": "decimal", "precision": 14, "scale": 4}
    release(ticket, "billing/Billed", retype("total", wider))


def a_required_field_becomes_optional(ticket: Path) -> None:
    release(ticket, "assignment/Assigned", retype("expert", ["null", "string"]))


def a_view_wants_a_field_that_waiting_events_lack(ticket: Path) -> None:
    release(ticket, "resolution/Resolved", add("travel_minutes", "long"))
    edit(ticket / "billing" / "reads" / "resolution.avsc", add("travel_minutes", "long"))


def a_step_is_removed(ticket: Path) -> None:
    shutil.rmtree(ticket / "notification")


def an_event_is_renamed(ticket: Path) -> None:
    edit(ticket / "resolution" / "step.json", lambda step: step.update(emits={"TicketSolved": "Resolved"}))
    edit(ticket / "billing" / "step.json", lambda step: step.update(on=["TicketSolved"]))


def a_released_file_is_edited(ticket: Path) -> None:
    edit(ticket / "ticket" / "Ticket.v1.avsc", retype("subject", ["null", "string"]))


CHANGES: dict[Change, int] = {
    a_field_is_renamed: 1,
    a_field_is_renamed_and_its_readers_know_both_names: 0,
    a_field_that_somebody_reads_is_dropped: 1,
    a_field_that_nobody_reads_is_dropped: 0,
    a_type_is_changed: 1,
    an_enum_gets_a_symbol: 1,
    an_enum_gets_a_symbol_and_its_reader_too: 0,
    a_decimal_gets_more_digits: 1,
    a_required_field_becomes_optional: 1,
    a_view_wants_a_field_that_waiting_events_lack: 1,
    a_step_is_removed: 1,
    an_event_is_renamed: 1,
    a_released_file_is_edited: 1,
}
"""Each change and the exit status of the check."""


@pytest.fixture
def folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that commands are run in, with the contracts in `schemas` and what they were in `main`."""
    for name in ("schemas", "main"):
        shutil.copytree(root / "schemas" / "ticket", tmp_path / name / "ticket")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    with chdir(tmp_path):
        yield tmp_path


@pytest.mark.parametrize(("change", "status"), CHANGES.items(), ids=[change.__name__ for change in CHANGES])
def test_what_is_said_of_a_change(change: Change, status: int, folder: Path) -> None:
    change(folder / "schemas" / "ticket")
    result = CliRunner().invoke(cli, ["check", "schemas", "--against", "main"])
    said = f"$ stamp check schemas --against main\n{result.stdout}(exit status {result.exit_code})\n"
    golden = HERE / f"{change.__name__}.txt"
    if not golden.exists():
        HERE.mkdir(exist_ok=True)
        golden.write_text(said, encoding="utf-8")
        pytest.fail(f"{golden} was missing: it has been written, read it")
    assert said == golden.read_text(encoding="utf-8")
    assert result.exit_code == status, result.stderr


def test_every_file_of_the_walk_belongs_to_a_change() -> None:
    assert {file.stem for file in HERE.glob("*.txt")} == {change.__name__ for change in CHANGES}

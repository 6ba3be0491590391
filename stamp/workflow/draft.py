"""From what the code of a step says now to the files of its contract, as a migration goes from models to a database."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from stamp.errors import ContractError, SchemaError
from stamp.schema.document import shown
from stamp.schema.identity import content
from stamp.schema.jsonfile import JsonFile
from stamp.schema.limits import MAX_FILE
from stamp.schema.release import releases
from stamp.workflow.contract import check_numbers, record_name, step_files, versions
from stamp.workflow.declaration import FILE, OWNED, check_declaration, reads_file

__all__ = ["Changes", "Draft", "apply", "changes", "file_bytes", "is_said", "write_contract"]

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a contract should say.

    `emits` gives the writer schema for each event, `reads` the reader schema for each step that is read, `optional` those of them
    that may be absent. `fails` is by default `<step>.failed`. `ends` are events after which nothing is expected.
    """

    workflow: str
    step: str
    on: tuple[str, ...] = ()
    emits: Mapping[str, Schema] = field(default_factory=dict)
    fails: str = ""
    ends: tuple[str, ...] = ()
    reads: Mapping[str, Schema] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


class Changes(NamedTuple):
    """What would make a folder say what it should: files to write, with their JSON value or their bytes, and files to remove."""

    write: Mapping[Path, Any]
    remove: Sequence[Path]


def changes(folder: str | PathLike[str], draft: Draft, *, squashed: Collection[str] = ()) -> Changes:
    """Return what has to change for the contract in a folder to say what `draft` says. Nothing is written.

    A record whose newest released version says something else gets a new version, be it only in what its model enforces: that has the
    SchemaId of the one before, and harms nobody who reads. A released file is never touched. What people added to `step.json` stays, and
    a view that is no longer read goes.

    Versions that are `squashed` (`Validated.v2`) are not released: what the draft says follows the one before them, and they go.

    Raises:
        ContractError: the draft contradicts itself, or the contract that is there does.
        SchemaError: a schema is not acceptable.
    """
    home = Path(folder) / draft.workflow / draft.step
    said = _said(draft)
    check_declaration(said, home / FILE)
    said |= _kept(home / FILE, squashed)
    check_declaration(said, home / FILE)
    gone = {home / f"{label}.avsc" for label in squashed}
    released = _new_versions(home, draft, gone)
    if constraints := _constraints(home, draft, released, gone):
        said["constraints"] = constraints
    wanted = {**released, **_views(home, draft), home / FILE: said}
    stale = [file for file in (*sorted(gone), *sorted((home / "reads").glob("*.avsc"))) if file not in wanted]
    return Changes({file: value for file, value in wanted.items() if not _has(file, value)}, stale)


def write_contract(folder: str | PathLike[str], draft: Draft) -> list[Path]:
    """Make the contract in a folder say what `draft` says, and return the files that changed: none if it did already.

    Raises:
        ContractError, SchemaError: see `changes`; nothing has been written then.
        OSError: the folder cannot be written.
    """
    return apply(changes(folder, draft))


def apply(changed: Changes) -> list[Path]:
    """Write and remove the files of `changed`, and return them.

    Raises:
        OSError: the folder cannot be written.
    """
    for file, value in changed.write.items():
        _write(file, value)
    for file in changed.remove:
        file.unlink()
    return [*changed.write, *changed.remove]


def _said(draft: Draft) -> dict[str, Any]:
    said = {
        "workflow": draft.workflow,
        "step": draft.step,
        "on": list(draft.on),
        "emits": {event: record_name(schema) for event, schema in draft.emits.items()},
        "fails": draft.fails or f"{draft.step}.failed",
        "ends": list(draft.ends),
        "reads": {step: reads_file(step) for step in draft.reads},
        "optional": sorted(draft.optional),
    }
    return {key: value for key, value in said.items() if value or OWNED[key].required}


def _kept(file: Path, squashed: Collection[str]) -> dict[str, Any]:
    kept = {key: value for key, value in _present(file).items() if key not in OWNED}
    if not squashed or not isinstance(kept.get("retired"), dict):
        return kept
    retired = {version: day for version, day in kept["retired"].items() if version not in squashed}
    return {key: value for key, value in (kept | {"retired": retired}).items() if value or key != "retired"}


def _present(file: Path) -> dict[str, Any]:
    present = JsonFile(file).value if file.exists() else {}
    if not isinstance(present, dict):
        raise ContractError(f"expected a JSON object, got {shown(present)}", file=file)
    return present


def _constraints(home: Path, draft: Draft, released: Mapping[Path, Schema], gone: Collection[Path]) -> dict[str, int]:
    """Return the first version of each record that says what its model enforces: as it is said, or else the one released now.

    A version from before that nothing has to follow stays as it is, and so does what is said of it; unless nothing is said at all.
    """
    said = _present(home / FILE).get("constraints", {})
    present = {name: number for name, number in said.items() if home / f"{name}.v{number}.avsc" not in gone}
    there = {each.file: each for each in versions(step_files(home)) if each.file not in gone}
    files = released if (home / FILE).exists() else {**released, **there}
    numbers = {origin.name: origin.version for _, origin in releases(files)}
    return {
        name: number
        for name, number in sorted({**numbers, **present}.items())
        if name in present or name in _names(draft)
    }


def _names(draft: Draft) -> set[str]:
    return {record_name(schema) for schema in draft.emits.values()}


def _new_versions(home: Path, draft: Draft, gone: Collection[Path]) -> dict[Path, Schema]:
    there = [each for each in versions(step_files(home)) if each.file not in gone]
    check_numbers(there)
    newest = {version.name: version for version in there}
    wanted: dict[Path, Schema] = {}
    for name, schema in _records(draft).items():
        before = newest.get(name)
        if before is None or before.content.content != content(schema):
            number = 1 if before is None else before.version + 1
            wanted[home / f"{name}.v{number}.avsc"] = schema
    return wanted


def _records(draft: Draft) -> dict[str, Schema]:
    records: dict[str, Schema] = {}
    for event, schema in draft.emits.items():
        name = record_name(schema)
        if content(records.setdefault(name, schema)) != content(schema):
            text = f"expected one record called {name}, got another one with the event {event!r}: give one of them another name"
            raise ContractError(text, path=f"{draft.workflow}.{draft.step}")
    return records


def _views(home: Path, draft: Draft) -> dict[Path, Schema]:
    views = {home / reads_file(step): schema for step, schema in draft.reads.items()}
    for file, schema in views.items():
        record_name(schema, file=file)
    return views


def _has(file: Path, value: Any) -> bool:
    return file.exists() and is_said(JsonFile(file), value)


def is_said(file: JsonFile, value: Any) -> bool:
    """Tell whether a file says this JSON value, in whatever order of keys.

    Raises:
        ContractError: it cannot be read.
    """
    try:
        return json.dumps(file.value, sort_keys=True) == json.dumps(value, sort_keys=True)
    except SchemaError:
        return False


def file_bytes(value: Any) -> bytes:
    """Return a JSON value as it is written into a contracts folder: on many lines, unless it is too large for that."""
    data = json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
    return data if len(data) <= MAX_FILE else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _write(file: Path, value: Any) -> None:
    """Write bytes, or a JSON value, in one go: a reader sees the file as it was or as it will be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    data = value if isinstance(value, bytes) else file_bytes(value)
    try:
        new.write_bytes(data)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)

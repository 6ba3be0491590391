"""What a service tells the others of its workflow, as documents by key: the directory of the workflow holds them, at a broker or in a store.

schema/<SchemaId>/<step>/<Name>.v<N>.avsc    a writer schema, as its file has it
contract/<step>/step.json                    the other files of the contract of a step
contract/<step>/reads/<other>.avsc
listener/<step>                              a JSON list of the events that its queue gets; `null` when nobody listens there any more

A document adds knowledge and changes none: the SchemaId of a schema is computed again by whoever reads it, and the lint and the limits
are those of files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from stamp.errors import SchemaError
from stamp.schema.document import parse
from stamp.schema.identity import SchemaId
from stamp.schema.limits import MAX_FILE
from stamp.schema.lint import lint
from stamp.schema.release import Origin
from stamp.schema.source import Found
from stamp.workflow.contract import step_files
from stamp.workflow.draft import changes
from stamp.workflow.migration import drafts
from stamp.workflow.names import is_event_name, is_step_name
from stamp.workflow.workflow import Workflow

__all__ = [
    "CONTRACT",
    "LISTENER",
    "SCHEMA",
    "contract_documents",
    "contract_files",
    "find_schema",
    "listener_document",
    "listeners",
    "schemas_of",
]

SCHEMA: Final = "schema/"
CONTRACT: Final = "contract/"
LISTENER: Final = "listener/"
"""How keys begin."""

Documents = Mapping[str, str]


class _SchemaKey(NamedTuple):
    id: SchemaId
    step: str
    name: str
    version: int


def contract_documents(workflow: Workflow, steps: Iterable[str]) -> dict[str, str]:
    """Return what is announced of steps that are defined here: their contracts, as `stamp export` would write them now.

    Raises:
        ContractError, SchemaError: the contracts folder is not in order.
    """
    wanted, folder = set(steps), workflow.contracts_folder
    documents: dict[str, str] = {}
    for draft in drafts(workflow, folder):
        if draft.step in wanted:
            home = folder / workflow.name / draft.step
            files = {file.path: file.value for file in step_files(home).values() if file.path.exists()}
            changed = changes(folder, draft)
            files |= changed.write
            kept = {file.relative_to(home): value for file, value in files.items() if file not in changed.remove}
            documents |= dict(_document(draft.step, file, value) for file, value in kept.items())
    return documents


def _document(step: str, file: Path, value: Any) -> tuple[str, str]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if file.suffix == ".avsc" and file.parent == Path():
        return f"{SCHEMA}{SchemaId.of(value)}/{step}/{file.name}", text
    return f"{CONTRACT}{step}/{file.as_posix()}", text


def listener_document(step: str, events: Iterable[str] | None) -> dict[str, str]:
    """Return what is announced of the queue of a step: the events that it gets, or None when it is given up."""
    return {f"{LISTENER}{step}": json.dumps(None if events is None else list(events))}


def listeners(documents: Documents) -> dict[str, tuple[str, ...]]:
    """Return for each step with a document what its queue gets, nothing if it was given up. What is no such document is left out."""
    found: dict[str, tuple[str, ...]] = {}
    for key, text in documents.items():
        step = key.removeprefix(LISTENER)
        if key.startswith(LISTENER) and is_step_name(step) and (events := _events(text)) is not None:
            found[step] = events
    return found


def _events(text: str) -> tuple[str, ...] | None:
    try:
        value = parse(text)
    except SchemaError:
        return None
    if value is None:
        return ()
    is_list = isinstance(value, list) and all(map(is_event_name, value))
    return tuple(dict.fromkeys(value)) if is_list else None


def find_schema(documents: Documents, schema_id: SchemaId, workflow: str) -> Found | None:
    """Return the schema of a SchemaId, if one of the documents is it; what only claims to be is left out."""
    prefix = f"{SCHEMA}{schema_id}/"
    own = {key: text for key, text in documents.items() if key.startswith(prefix)}
    found = list(schemas_of(own, workflow))
    return Found(found[0].schema, tuple(origin for each in found for origin in each.origins)) if found else None


def schemas_of(documents: Documents, workflow: str) -> Iterator[Found]:
    """Yield the writer schemas among the documents, each with its origin; what is no acceptable schema of its key is left out."""
    for key, text in documents.items():
        named = _schema_key(key)
        if named is not None and (schema := _schema(text, named.id)) is not None:
            yield Found(schema, (Origin(workflow, named.step, named.name, named.version),))


def _schema_key(key: str) -> _SchemaKey | None:
    match = KEY.fullmatch(key)
    if match is None or not is_step_name(match["step"]):
        return None
    return _SchemaKey(SchemaId.fromhex(match["id"]), match["step"], match["name"], int(match["version"]))


KEY: Final = re.compile(
    r"schema/(?P<id>[0-9a-f]{32})/(?P<step>[^/]+)/(?P<name>[A-Za-z_][A-Za-z0-9_]{0,199})\.v(?P<version>[1-9][0-9]{0,5})\.avsc",
    re.ASCII,
)


def _schema(text: str, schema_id: SchemaId) -> dict[str, Any] | None:
    if len(text) > MAX_FILE:
        return None
    try:
        schema = parse(text)
        lint(schema)
    except SchemaError:
        return None
    is_record = isinstance(schema, dict) and schema["type"] == "record"
    return schema if is_record and SchemaId.of(schema) == schema_id else None


def contract_files(documents: Documents, workflow: str) -> dict[str, str]:
    """Return the announced contracts as the files of a contracts folder, by their names in it.

    Two services may have announced different schemas as one version that neither of them had released. Then one keeps the number, and the
    other gets the next free one: none is left out of a check.
    """
    files = {
        f"{workflow}/{key.removeprefix(CONTRACT)}": text for key, text in documents.items() if _is_contract_key(key)
    }
    taken: set[tuple[str, str, int]] = set()
    named = ((key, text) for key, text in sorted(documents.items()) if key.startswith(SCHEMA))
    keys = [(each, text) for key, text in named if (each := _schema_key(key)) is not None]
    for each, text in sorted(keys, key=lambda pair: pair[0].version):
        version = each.version
        while (each.step, each.name, version) in taken:
            version += 1
        taken.add((each.step, each.name, version))
        files[f"{workflow}/{each.step}/{each.name}.v{version}.avsc"] = text
    return dict(sorted(files.items()))


def _is_contract_key(key: str) -> bool:
    match key.split("/"):
        case ["contract", step, "step.json"]:
            return is_step_name(step)
        case ["contract", step, "reads", file]:
            return is_step_name(step) and file.endswith(".avsc") and is_step_name(file.removesuffix(".avsc"))
    return False

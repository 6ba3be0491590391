"""What a service tells the others of its workflow, as documents by key: the directory of the workflow holds them, at a broker or in a store.

schema/<SchemaId>/<step>/<Name>.v<N>.avsc    a writer schema, as its file has it
contract/<step>/step.json                    the other files of the contract of a step
contract/<step>/reads/<other>.avsc
listener/<step>                              a JSON list of the events that its queue gets; `null` when nobody listens there any more
superseded/<step>                            a JSON list of such lists: what earlier releases of the step listened to

A document adds knowledge and changes none: the SchemaId of a schema is computed again by whoever reads it, and the lint and the limits
are those of files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from stamp.errors import SchemaError
from stamp.schema.document import parse
from stamp.schema.identity import SchemaId
from stamp.schema.limits import MAX_FILE
from stamp.schema.release import VERSION, Origin
from stamp.schema.source import Found
from stamp.workflow.contract import record_name, step_files
from stamp.workflow.draft import changes
from stamp.workflow.migration import draft
from stamp.workflow.names import is_event_name, is_step_name
from stamp.workflow.workflow import Workflow

__all__ = [
    "CONTRACT",
    "KEY",
    "LISTENER",
    "MAX_EVENTS",
    "MAX_HEARD",
    "MAX_LISTENERS",
    "SCHEMA",
    "AnnouncedSchema",
    "Announcement",
    "Documents",
    "announced_schema",
    "announcement",
    "find_schema",
    "folder_documents",
    "is_given_up",
    "is_sound",
    "listener_document",
    "listeners",
    "renewed_listener",
    "schemas_of",
    "sound_schemas",
]

SCHEMA: Final = "schema/"
CONTRACT: Final = "contract/"
LISTENER: Final = "listener/"
SUPERSEDED: Final = "superseded/"
"""How keys begin."""

MAX_EVENTS: Final = 1_000
"""Events that the queue of one step gets."""
MAX_LISTENERS: Final = 1_000
"""Steps that listen, in one directory: as many as a workflow may have that is checked."""
MAX_HEARD: Final = 10_000
"""Events of all of them together. On RabbitMQ each is a binding, and 50,000 take minutes."""

Documents = Mapping[str, str]


class AnnouncedSchema(NamedTuple):
    """A writer schema, and where it comes from; the schema is for reading only."""

    key: str
    id: SchemaId
    step: str
    name: str
    version: int
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a service tells the others, by its keys; those of its `released` schemas have a file in its contracts folder."""

    documents: Documents = field(default_factory=dict)
    released: Mapping[str, Path] = field(default_factory=dict)

    def __or__(self, other: Announcement) -> Announcement:
        return Announcement({**self.documents, **other.documents}, {**self.released, **other.released})


def announcement(workflow: Workflow, steps: Iterable[str]) -> Announcement:
    """Return what is announced of steps that are defined here: their contracts, as `stamp export` would write them now.

    Raises:
        ContractError, SchemaError: the contracts folder is not in order.
    """
    found = Announcement()
    for step in steps:
        found |= _of_step(workflow, step)
    return found


def _of_step(workflow: Workflow, step: str) -> Announcement:
    folder = workflow.contracts_folder
    home = folder / workflow.name / step
    files = {file.path: file.value for file in step_files(home).values() if file.path.exists()}
    changed = changes(folder, draft(workflow, workflow.steps[step], workflow.parties))
    kept = {file: value for file, value in {**files, **changed.write}.items() if file not in changed.remove}
    made = {file: _document(step, file.relative_to(home), value) for file, value in kept.items()}
    released = {key: file for file, (key, _) in made.items() if file in files and key.startswith(SCHEMA)}
    return Announcement(dict(made.values()), released)


def folder_documents(home: Path) -> dict[str, str]:
    """Return what is announced of a step whose contract is in the folder `home`, as it lies there.

    Raises:
        ContractError, SchemaError: a file cannot be read.
    """
    return dict(_document(home.name, Path(name), file.value) for name, file in step_files(home).items())


def _document(step: str, file: Path, value: Any) -> tuple[str, str]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if file.suffix == ".avsc" and file.parent == Path():
        return f"{SCHEMA}{SchemaId.of(value)}/{step}/{file.name}", text
    return f"{CONTRACT}{step}/{file.as_posix()}", text


def listener_document(step: str, events: Iterable[str] | None) -> dict[str, str]:
    """Return what is announced of the queue of a step: the events that it gets, or None when it is given up."""
    return {f"{LISTENER}{step}": json.dumps(None if events is None else list(events))}


def listeners(documents: Documents) -> dict[str, tuple[str, ...]]:
    """Return for each step with a document what its queue gets, nothing if it was given up.

    What is no such document is left out; and of more listeners than there may be those with the most events, so that all who read them leave out the same.
    """
    found: dict[str, tuple[str, ...]] = {}
    for key, text in documents.items():
        step = key.removeprefix(LISTENER)
        if key.startswith(LISTENER) and is_step_name(step) and (events := _events(text)) is not None:
            found[step] = events
    return _within_limits(found)


def _within_limits(found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    kept = {step: events for step, events in found.items() if not events}
    room, heard = MAX_LISTENERS + len(kept), 0
    for step in sorted(found.keys() - kept.keys(), key=lambda step: (len(found[step]), step)):
        heard += len(found[step])
        if len(kept) == room or heard > MAX_HEARD:
            break
        kept[step] = found[step]
    return {step: events for step, events in found.items() if step in kept}


def renewed_listener(step: str, events: Iterable[str], there: Documents) -> dict[str, str]:
    """Return what to write where these documents are when an instance of `step` starts that listens to `events`; nothing if that is known.

    A later release takes the place of an earlier one. An instance of an earlier release, which starts again beside it, takes nothing back:
    it may add what it listens to itself. So no event is lost while releases run side by side, in whatever order their instances start.
    """
    own, current = tuple(dict.fromkeys(events)), listeners(there).get(step, ())
    if not current:
        return listener_document(step, own)
    if set(own) == set(current):
        return {}
    superseded = _superseded(there.get(f"{SUPERSEDED}{step}", "[]"))
    if any(set(own) == set(each) for each in superseded):
        both = tuple(dict.fromkeys((*current, *own)))
        return {} if set(own) <= set(current) else listener_document(step, both if _is_events(list(both)) else own)
    history = [*superseded, current][-REMEMBERED:]
    return {**listener_document(step, own), f"{SUPERSEDED}{step}": json.dumps(history)}


REMEMBERED: Final = 20
"""How many earlier releases of a listener are told from later ones."""


def _superseded(text: str) -> list[Any]:
    value = _parsed(text)
    is_history = isinstance(value, list) and all(map(_is_events, value))
    return value if isinstance(value, list) and is_history else []


def is_given_up(key: str, text: str) -> bool:
    """Tell whether a document says that a step is gone, or that nobody listens any more where somebody has."""
    return _events(text) == () if key.startswith(LISTENER) else key.startswith(CONTRACT) and text.strip() == "null"


def _events(text: str) -> tuple[str, ...] | None:
    value = _parsed(text)
    if value is None:
        return () if text.strip() == "null" else None
    return tuple(dict.fromkeys(value)) if _is_events(value) else None


def _is_events(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MAX_EVENTS and all(map(is_event_name, value))


def _parsed(text: str) -> Any:
    """Return the value of a document; None for one that is too large, or is no JSON."""
    if len(text) > MAX_FILE:
        return None
    with suppress(SchemaError):
        return parse(text)
    return None


def find_schema(documents: Documents, schema_id: SchemaId, workflow: str) -> Found | None:
    """Return the schema of a SchemaId, if one of the documents is it; what only claims to be is left out."""
    prefix = f"{SCHEMA}{schema_id}/"
    own = {key: text for key, text in documents.items() if key.startswith(prefix)}
    found = list(schemas_of(own, workflow))
    return Found(found[0].schema, tuple(origin for each in found for origin in each.origins)) if found else None


def schemas_of(documents: Documents, workflow: str) -> Iterator[Found]:
    """Yield the writer schemas among the documents, each with its origin; what is no acceptable schema of its key is left out."""
    for each in sound_schemas(documents):
        yield Found(each.schema, (Origin(workflow, each.step, each.name, each.version),))


def sound_schemas(documents: Documents) -> Iterator[AnnouncedSchema]:
    """Yield the writer schemas among the documents; what is no acceptable schema of its key is left out."""
    for key, text in documents.items():
        if key.startswith(SCHEMA):
            with suppress(SchemaError):
                yield announced_schema(key, text)


def is_sound(key: str, text: str) -> bool:
    """Tell whether a document can be read: that of a schema has to be the schema of its key, a listener a list of events, the rest JSON objects."""
    if key.startswith(SCHEMA):
        return any(sound_schemas({key: text}))
    if key.startswith(LISTENER):
        return _events(text) is not None
    return text.strip() == "null" or isinstance(_parsed(text), dict)


def announced_schema(key: str, text: str) -> AnnouncedSchema:
    """Return the schema that a document is.

    Raises:
        SchemaError: its key is none of a schema, or its text is no acceptable schema of that key.
    """
    match = KEY.fullmatch(key)
    if match is None or not is_step_name(match["step"]):
        raise SchemaError("expected schema/<SchemaId>/<step>/<Name>.v<N>.avsc as the key")
    if len(text) > MAX_FILE:
        raise SchemaError(f"expected at most {MAX_FILE} bytes, got more")
    schema, expected = parse(text), SchemaId.fromhex(match["id"])
    if record_name(schema) != match["name"]:
        raise SchemaError(f"expected the schema of a record called {match['name']}, got {record_name(schema)}")
    if SchemaId.of(schema) != expected:
        raise SchemaError(f"expected the schema of this SchemaId, got that of {SchemaId.of(schema)}")
    return AnnouncedSchema(key, expected, match["step"], match["name"], int(match["version"]), schema)


KEY: Final = re.compile(
    r"schema/(?P<id>[0-9a-f]{32})/(?P<step>[^/]+)/(?P<name>[A-Za-z_][A-Za-z0-9_]{0,199})"
    rf"\.v(?P<version>{VERSION})\.avsc",
    re.ASCII,
)

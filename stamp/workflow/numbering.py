"""Numbers of the versions in a directory: there each number of a record is of one schema, whatever several services call theirs.

On the wire a schema is known by its SchemaId alone; numbers are for people. So a version whose number is taken gets the next free one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from stamp.schema.identity import SchemaId
from stamp.schema.limits import MAX_VERSION
from stamp.workflow.announcement import (
    CONTRACT,
    KEY,
    SCHEMA,
    AnnouncedSchema,
    Announcement,
    Documents,
    sound_schemas,
)
from stamp.workflow.declaration import FILE

__all__ = ["Move", "moved", "moves", "numbered", "taken"]


class Move(NamedTuple):
    """A version of a service, and the number that it has in a directory, where its own one is of the schema `other`."""

    key: str
    step: str
    name: str
    version: int
    id: SchemaId
    other: SchemaId
    number: int

    @property
    def new_key(self) -> str:
        """Its key in the directory."""
        return f"{SCHEMA}{self.id}/{self.step}/{self.name}.v{self.number}.avsc"

    def __str__(self) -> str:
        return taken(self.step, f"{self.name}.v{self.version}", mine=self.id, other=self.other)


def taken(step: str, version: str, *, mine: SchemaId, other: SchemaId) -> str:
    """Say that a version is announced with another schema."""
    return (
        f"expected the SchemaId {other}, which a service has announced as {version} of {step}, got {mine}: a released file never changes, "
        "so one of the two needs the next number: put this file aside, fetch the one that is in use with `stamp contracts pull`, and export again"
    )


def numbered(schemas: Iterable[AnnouncedSchema]) -> list[AnnouncedSchema]:
    """Return the schemas of a step, each under a number that no other schema of its name has, whoever else reads them.

    Services that start at the same moment may have announced several under one number. One that has another number for itself is left out
    there; of the others one keeps it, and the rest get the next free numbers.
    """
    found = sorted(_once(tuple(schemas)), key=lambda each: (each.name, each.version, each.id))
    first = {(each.name, each.version): each for each in reversed(found)}
    numbers = _Numbers(first)
    for each in found:
        if first[each.name, each.version] is not each:
            number = numbers.take(each.name, each.version)
            first[each.name, number] = each._replace(version=number)
    return [first[key] for key in sorted(first)]


def _once(schemas: tuple[AnnouncedSchema, ...]) -> Iterator[AnnouncedSchema]:
    """Yield schemas; where several have one number, not those that have another number for themselves."""
    sharing = Counter((each.name, each.version) for each in schemas)
    alone = {(each.name, each.id) for each in schemas if sharing[each.name, each.version] == 1}
    for each in schemas:
        if sharing[each.name, each.version] == 1 or (each.name, each.id) not in alone:
            yield each


class _Numbers:
    """The numbers that are taken, by names of records. A free one is found at once, however many are taken before it."""

    def __init__(self, taken: Iterable[tuple[str, int]]) -> None:
        self._after = {(name, number): number % MAX_VERSION + 1 for name, number in taken}

    def take(self, name: str, number: int) -> int:
        """Return the next number that is free, the given one or after it, and from 1 again after the last; it is taken then."""
        way = []
        while (name, number) in self._after:
            way.append(number)
            number = self._after[name, number]
        for each in (*way, number):
            self._after[name, each] = number % MAX_VERSION + 1
        return number


def moved(announcement: Announcement, there: Documents) -> Announcement:
    """Return what a service announces where these documents are: versions whose number is taken there have another one, also in step.json."""
    found = moves(announcement.documents, there)
    if not found:
        return announcement
    keys = {each.key: each.new_key for each in found}
    documents = {keys.get(key, key): text for key, text in announcement.documents.items()}
    for step in {each.step for each in found}:
        key = f"{CONTRACT}{step}/{FILE}"
        if key in documents:
            documents[key] = _renamed(documents[key], [each for each in found if each.step == step])
    return replace(announcement, documents=documents)


def _renamed(text: str, found: Iterable[Move]) -> str:
    """Return a step.json in which versions have the numbers that they got."""
    said: dict[str, Any] = json.loads(text)
    labels = {f"{each.name}.v{each.version}": f"{each.name}.v{each.number}" for each in found}
    numbers = {(each.name, each.version): each.number for each in found}
    if "retired" in said:
        said["retired"] = {labels.get(label, label): day for label, day in said["retired"].items()}
    if "constraints" in said:
        said["constraints"] = {
            name: numbers.get((name, number), number) for name, number in said["constraints"].items()
        }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def moves(documents: Documents, there: Documents) -> list[Move]:
    """Return the versions among the documents of a service whose numbers are of other schemas where the documents `there` are."""
    own, claims = list(_versions(documents)), {*_versions(documents), *_versions(there)}
    sharing = Counter((each.step, each.name, each.version) for each in claims)
    steps = sorted({each.step for each in own if sharing[each.step, each.name, each.version] > 1})
    return [move for step in steps for move in _moves(step, own, there)]


class _Version(NamedTuple):
    """What the key of a schema says."""

    step: str
    name: str
    version: int
    id: SchemaId

    @property
    def key(self) -> str:
        return f"{SCHEMA}{self.id}/{self.step}/{self.name}.v{self.version}.avsc"


def _versions(documents: Documents) -> Iterator[_Version]:
    for match in map(KEY.fullmatch, documents):
        if match is not None:
            yield _Version(match["step"], match["name"], int(match["version"]), SchemaId.fromhex(match["id"]))


def _moves(step: str, own: Iterable[_Version], there: Documents) -> Iterator[Move]:
    """Yield those of a step. What can be believed there counts, in the numbers that everybody reads it under."""
    mine = sorted(each for each in own if each.step == step)
    known = numbered(each for each in sound_schemas(there) if each.step == step)
    numbers = {(each.name, each.version): each.id for each in known}
    ids = {(each.name, each.id): each.version for each in known}
    used = _Numbers((*numbers, *((each.name, each.version) for each in mine)))
    for each in mine:
        other = numbers.get((each.name, each.version), each.id)
        if other != each.id:
            number = ids.get((each.name, each.id)) or used.take(each.name, each.version)
            yield Move(each.key, step, each.name, each.version, each.id, other, number)

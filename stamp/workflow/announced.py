"""Contracts that services have announced, as what lies in a contracts folder; and what is among their documents that nobody can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from stamp.errors import ContractError, SchemaError, StampError
from stamp.schema.catalog import Catalog
from stamp.schema.document import irregularities, parse
from stamp.schema.identity import SchemaId
from stamp.schema.jsonfile import JsonFile
from stamp.schema.limits import MAX_FILE
from stamp.schema.release import Origin
from stamp.workflow.announcement import (
    CONTRACT,
    LISTENER,
    MAX_EVENTS,
    MAX_HEARD,
    MAX_LISTENERS,
    SCHEMA,
    AnnouncedSchema,
    Documents,
    announced_schema,
    listener_document,
    listeners,
    sound_schemas,
)
from stamp.workflow.contract import StepContract, contract, record_name
from stamp.workflow.declaration import FILE, check_declaration, reads_file
from stamp.workflow.draft import file_bytes
from stamp.workflow.names import is_step_name
from stamp.workflow.numbering import numbered

__all__ = [
    "Announced",
    "AnnouncedStep",
    "Fault",
    "Version",
    "announced",
    "announced_catalog",
    "contract_files",
    "unmatched",
    "withdrawal",
]

T = TypeVar("T")

TOO_MANY: Final = (
    f"expected at most {MAX_LISTENERS:,} listeners with {MAX_HEARD:,} events together; those with the most are left out"
)

Version = tuple[str, int, SchemaId]
"""The name of a record, the number of a version, and the identity of its schema. Two versions may have one: what models enforce is no part of it."""


class Fault(NamedTuple):
    """A document that is left out, and why."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class AnnouncedStep:
    """What is announced of a step: the schemas that it writes with, its step.json, None if there is none, and its views by their files.

    The versions of a record have different numbers, which depend on nothing but what is announced.
    """

    step: str
    schemas: tuple[AnnouncedSchema, ...]
    said: Mapping[str, Any] | None
    views: Mapping[str, Any]

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions that it writes, by name and number."""
        return tuple(sorted((each.name, each.version, each.id) for each in self.schemas))

    def files(self) -> dict[str, Any]:
        """Return its files by their names in the folder of the step: their JSON values."""
        files: dict[str, Any] = {} if self.said is None else {FILE: self.said, **self.views}
        return files | {f"{each.name}.v{each.version}.avsc": each.schema for each in self.schemas}

    def contract(self, workflow: str) -> StepContract:
        """Return its contract.

        Raises:
            ContractError, SchemaError: it contradicts itself, or was announced in part.
        """
        files = {
            name: JsonFile(Path(workflow) / self.step / name, file_bytes(value)) for name, value in self.files().items()
        }
        for name in (FILE, *map(reads_file, (self.said or {}).get("reads", {}))):
            if name not in files:
                raise ContractError(f"expected a contract with {name}, got none: it was announced in part")
        return contract(files, gaps=True)


def unmatched(ones: Iterable[Version], others: Iterable[Version]) -> list[Version]:
    """Return those of `ones` that are not among `others`, neither under their number nor, once each, under another one."""
    mine, there = set(ones), set(others)
    elsewhere = Counter((name, id_) for name, _, id_ in there - mine)
    left = []
    for name, number, id_ in sorted(mine - there):
        if elsewhere[name, id_]:
            elsewhere[name, id_] -= 1
        else:
            left.append((name, number, id_))
    return left


class Announced(NamedTuple):
    """What is announced of a workflow: the contracts of its steps by their names, and what their queues get.

    `broken` are steps whose contracts cannot be used, and why; `faults` are documents that are left out; `removed` are steps that were
    taken out.
    """

    steps: Mapping[str, AnnouncedStep]
    broken: Mapping[str, str]
    listeners: Mapping[str, tuple[str, ...]]
    faults: tuple[Fault, ...]
    removed: frozenset[str]


def announced(documents: Documents, workflow: str) -> Announced:
    """Return what documents say of a workflow. Nothing of it is the name of a file outside a contracts folder."""
    faults: list[Fault] = []
    schemas = list(_usable(documents, SCHEMA, announced_schema, faults))
    files = dict(_usable(documents, CONTRACT, lambda key, text: _contract_file(key, text, workflow), faults))
    heard = dict(_usable(documents, LISTENER, _listener, faults))
    kept = listeners(documents)
    faults += [Fault(f"{LISTENER}{step}", TOO_MANY) for step in heard if step not in kept]
    names = sorted({each.step for each in schemas} | {step for step, _ in files})
    found = {name: _step(name, schemas, files) for name in names}
    withdrawn = frozenset(step for (step, name), value in files.items() if name == FILE and value is None)
    steps = {name: step for name, step in found.items() if name not in withdrawn}
    return Announced(steps, dict(_broken(steps, workflow, faults)), kept, tuple(faults), withdrawn)


def _usable(documents: Documents, prefix: str, read: Callable[[str, str], T], faults: list[Fault]) -> Iterator[T]:
    for key in sorted(documents):
        if key.startswith(prefix):
            try:
                yield read(key, documents[key])
            except StampError as error:
                faults.append(Fault(key, str(error)))


def _listener(key: str, text: str) -> tuple[str, tuple[str, ...]]:
    for found in listeners({key: text}).items():
        return found
    raise SchemaError(f"expected a JSON list of at most {MAX_EVENTS:,} events, or null, under listener/<step>")


ContractFile = tuple[tuple[str, str], Any]
"""The step and the name of a file, and its value."""


def _contract_file(key: str, text: str, workflow: str) -> ContractFile:
    step, name = _names(key)
    if len(text) > MAX_FILE:
        raise SchemaError(f"expected at most {MAX_FILE} bytes, got more")
    value = parse(text)
    for problem in irregularities(value):
        raise problem
    if name != FILE:
        record_name(value)
    elif value is not None:
        check_declaration(value, Path(key))
        if (value["workflow"], value["step"]) != (workflow, step):
            raise ContractError(f"expected the step {step} of the workflow {workflow}, got another one", path=key)
    return (step, name), value


def _names(key: str) -> tuple[str, str]:
    match key.split("/"):
        case ["contract", step, "step.json"] if is_step_name(step):
            return step, FILE
        case ["contract", step, "reads", file] if is_step_name(step) and file.endswith(".avsc"):
            if is_step_name(file.removesuffix(".avsc")):
                return step, f"reads/{file}"
    raise SchemaError(f"expected contract/<step>/{FILE} or contract/<step>/reads/<other>.avsc as the key")


def _step(step: str, schemas: Iterable[AnnouncedSchema], files: Mapping[tuple[str, str], Any]) -> AnnouncedStep:
    """Return a step. Views that its step.json does not name are of an earlier one: nobody takes documents back."""
    said = files.get((step, FILE))
    wanted = map(reads_file, said.get("reads", {})) if said is not None else ()
    views = {name: files[step, name] for name in wanted if (step, name) in files}
    return AnnouncedStep(step, tuple(numbered(each for each in schemas if each.step == step)), said, views)


def _broken(steps: Mapping[str, AnnouncedStep], workflow: str, faults: Iterable[Fault]) -> Iterator[tuple[str, str]]:
    """Yield steps whose contracts cannot be used, and why: a file that is spoiled, where there is one, else what does not fit together."""
    for name, step in steps.items():
        try:
            step.contract(workflow)
        except StampError as error:
            spoiled = (f"{key}: {why}" for key, why in faults if key.startswith(f"{CONTRACT}{name}/"))
            yield name, next(spoiled, str(error))


def contract_files(found: Announced, workflow: str) -> dict[str, bytes]:
    """Return announced contracts as the files of a contracts folder, by their names in it; but for broken ones."""
    return {
        f"{workflow}/{name}/{file}": file_bytes(value)
        for name, step in found.steps.items()
        if name not in found.broken
        for file, value in step.files().items()
    }


def announced_catalog(documents: Documents, workflow: str) -> Catalog:
    """Return all writer schemas among the documents, also of steps that are gone; what is no schema of its key is left out."""
    catalog = Catalog()
    found = list(sound_schemas(documents))
    for step in sorted({each.step for each in found}):
        for each in numbered(one for one in found if one.step == step):
            catalog = catalog.with_schema(each.schema, origin=Origin(workflow, step, each.name, each.version))
    return catalog


def withdrawal(step: str) -> dict[str, str]:
    """Return what is announced of a step that is gone: its schemas stay, because what was written with them may be anywhere."""
    return {f"{CONTRACT}{step}/{FILE}": "null", **listener_document(step, None)}

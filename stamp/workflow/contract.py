"""The contract of a step: files, in git, that say what it listens to, emits, reads and writes; in no programming language.

<workflow>/<step>/step.json               events, and what goes with them
<workflow>/<step>/<Name>.v<N>.avsc        every released version of a record that it writes; a released file never changes
<workflow>/<step>/reads/<other>.avsc      how it reads what another step wrote: an Avro reader schema
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stamp.errors import ContractError, SchemaError
from stamp.schema.document import shown
from stamp.schema.identity import SchemaId
from stamp.schema.jsonfile import JsonFile
from stamp.schema.lint import lint
from stamp.schema.names import unqualified
from stamp.schema.release import read_release, releases, step_folders
from stamp.workflow.declaration import FILE, declaration, failure_event

__all__ = [
    "StepContract",
    "WriterVersion",
    "check_numbers",
    "contract",
    "read_contracts",
    "record_name",
    "step_files",
    "versions",
]


@dataclass(frozen=True, slots=True)
class WriterVersion:
    """A released version of a record. After the day `retired` no data of it are left anywhere; None while there may be.

    Its file `is_told` what the model enforces beyond Avro, unless it is from before that was written.
    """

    name: str
    version: int
    content: JsonFile
    retired: date | None = None
    is_told: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        """Its schema, for reading only."""
        schema: dict[str, Any] = self.content.schema
        return schema

    @property
    def id(self) -> SchemaId:
        """The identity of its schema."""
        return self.content.id

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.content.path


@dataclass(frozen=True, slots=True)
class StepContract:
    """What the files say of one step; `schema` and `reads` are for reading only.

    `emits` gives the record that is written with each event, `reads` the reader schema
    for each step that is read, `optional` those of them that may be absent. `ends` are events after which nothing is expected.
    """

    workflow: str
    step: str
    on: tuple[str, ...]
    emits: Mapping[str, str]
    fails: str
    ends: tuple[str, ...]
    reads: Mapping[str, dict[str, Any]]
    optional: frozenset[str]
    versions: tuple[WriterVersion, ...]
    file: Path

    def latest(self, name: str) -> WriterVersion:
        """Return the newest version of the record `name`.

        Raises:
            ContractError: the step has never written such a record.
        """
        found = [version for version in self.versions if version.name == name]
        if not found:
            known = ", ".join(sorted({version.name for version in self.versions})) or "nothing"
            raise ContractError(f"expected a record that this step writes ({known}), got {name!r}", file=self.file)
        return found[-1]


def read_contracts(
    folder: str | PathLike[str], *, workflow: str | None = None, without: Collection[str] = ()
) -> Mapping[tuple[str, str], StepContract]:
    """Return the contracts in a folder by workflow and step, or those of one workflow alone; those of steps in `without` unread.

    Raises:
        ContractError: there is no such folder, or a contract in it contradicts itself.
        SchemaError: a file is not JSON, or no acceptable schema.
    """
    steps = [step for step in step_folders(folder, workflow=workflow) if step.name not in without]
    found = [contract(step_files(step)) for step in steps]
    return MappingProxyType({(each.workflow, each.step): each for each in found})


def step_files(folder: Path) -> dict[str, JsonFile]:
    """Return the files of the contract in the folder of a step by their names in it; none of them is read yet."""
    schemas = [*sorted(folder.glob("*.avsc")), *sorted((folder / "reads").glob("*.avsc"))]
    return {file.relative_to(folder).as_posix(): JsonFile(file) for file in (folder / FILE, *schemas)}


def contract(files: Mapping[str, JsonFile], *, gaps: bool = False) -> StepContract:
    """Return the contract that the files in the folder of a step are; `step.json` is among them, be it there or not.

    With `gaps` versions may be missing.

    Raises:
        ContractError: the files contradict themselves.
        SchemaError: one is not JSON, or no acceptable schema.
    """
    said = declaration(files[FILE])
    views = said.get("reads", {})
    released = tuple(versions(files, said.get("retired", {}), said.get("constraints", {})))
    if not gaps:
        check_numbers(released)
    found = StepContract(
        workflow=said["workflow"],
        step=said["step"],
        on=tuple(said["on"]),
        emits=MappingProxyType(said["emits"]),
        fails=failure_event(said),
        ends=tuple(said.get("ends", ())),
        reads=MappingProxyType({step: _view(files, name) for step, name in views.items()}),
        optional=frozenset(said.get("optional", ())),
        versions=released,
        file=files[FILE].path,
    )
    _check_records(found, said)
    for name, file in files.items():
        if name.startswith("reads/") and name not in views.values():
            raise ContractError(
                f'expected only views that "reads" in {FILE} names, got another one: remove it, or export again',
                file=file.path,
            )
    return found


def _view(files: Mapping[str, JsonFile], name: str) -> dict[str, Any]:
    file = files.get(name)
    if file is None:  # nothing is read from the disk: the state may be that of a commit, and its paths are for people
        missing = files[FILE].path.parent / name
        raise ContractError(f'expected the view that "reads" in {FILE} names, got no such file', file=missing)
    _check_record(file.schema, file.path)
    schema: dict[str, Any] = file.schema
    return schema


def record_name(schema: Any, *, file: Path | None = None) -> str:
    """Return the name, without its namespace, of the record whose schema this is.

    Raises:
        SchemaError: it is no acceptable schema, or not that of a record.
    """
    lint(schema, file=file)
    _check_record(schema, file)
    return unqualified(schema["name"])


def _check_record(schema: Any, file: Path | None) -> None:
    if not isinstance(schema, dict) or schema["type"] != "record":
        raise SchemaError(f"expected the schema of a record, got {shown(schema)}", file=file)


def versions(
    files: Mapping[str, JsonFile],
    retired: Mapping[str, str] = MappingProxyType({}),
    constraints: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[WriterVersion]:
    """Yield the released versions among the files of a step, sorted.

    `retired` gives days by `Name.vN`, `constraints` the first version of each record that says what its model enforces. So does a file with
    constraints in it, and those after it.

    Raises:
        SchemaError: a file is not JSON, or no acceptable schema.
        ContractError: a schema lies there under a name that is no version.
    """
    schemas = {file.path: file for name, file in files.items() if name.endswith(".avsc") and "/" not in name}
    telling = set[str]()
    for release in releases(schemas):
        file, origin = schemas[release.file], release.origin
        read_release(release, file)
        day = retired.get(f"{origin.name}.v{origin.version}")
        until = date.fromisoformat(day) if day else None
        if origin.version >= constraints.get(origin.name, origin.version + 1) or file.is_constrained:
            telling.add(origin.name)
        yield WriterVersion(origin.name, origin.version, file, until, origin.name in telling)


def check_numbers(found: Iterable[WriterVersion]) -> None:
    """Accept versions whose numbers run from 1 for each record.

    Raises:
        ContractError: there is a gap.
    """
    last: defaultdict[str, int] = defaultdict(int)
    for each in found:
        last[each.name] += 1
        if each.version != last[each.name]:
            raise ContractError(
                f"expected {each.name}.v{last[each.name]}.avsc before this one, got a gap: a released file stays for ever, restore it",
                file=each.file,
            )


def _check_records(contract: StepContract, said: Mapping[str, Any]) -> None:
    newest = {version.name: version for version in contract.versions}
    for event, name in contract.emits.items():
        if name not in newest:
            raise ContractError(
                f"expected {name}.v1.avsc, as {event!r} is emitted with it, got none: export the step",
                path="emits",
                file=contract.file,
            )
        if newest[name].retired:
            raise ContractError(
                f"expected {name} to be in use, as {event!r} is emitted with it, got its newest version retired",
                path="retired",
                file=contract.file,
            )
    known = {f"{version.name}.v{version.version}" for version in contract.versions}
    for version in said.get("retired", {}):
        if version not in known:
            raise ContractError(
                f"expected one of the versions here ({', '.join(sorted(known)) or 'none'}), got {version!r}",
                path="retired",
                file=contract.file,
            )

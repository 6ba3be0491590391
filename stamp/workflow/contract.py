"""The contract of a step: files, in git, that say what it listens to, emits, reads and writes; in no programming language.

<workflow>/<step>/step.json               events, and what goes with them
<workflow>/<step>/<Name>.v<N>.avsc        every released version of a record that it writes; a released file never changes
<workflow>/<step>/reads/<other>.avsc      how it reads what another step wrote: an Avro reader schema
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stamp.errors import ContractError, SchemaError
from stamp.schema.document import read, shown
from stamp.schema.identity import SchemaId
from stamp.schema.lint import lint
from stamp.schema.names import unqualified
from stamp.schema.release import read_release, releases, step_folders
from stamp.workflow.declaration import FILE, declaration, failure_event, reads_file

__all__ = ["StepContract", "WriterVersion", "read_contracts", "record_name", "versions"]


@dataclass(frozen=True, slots=True)
class WriterVersion:
    """A released version of a record. After the day `retired` no data of it are left anywhere; None while there may be."""

    name: str
    version: int
    schema: dict[str, Any]
    id: SchemaId
    file: Path
    retired: date | None = None


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
    found = map(_contract, steps)
    return MappingProxyType({(contract.workflow, contract.step): contract for contract in found})


def _contract(folder: Path) -> StepContract:
    said = declaration(folder)
    contract = StepContract(
        workflow=said["workflow"],
        step=said["step"],
        on=tuple(said["on"]),
        emits=MappingProxyType(said["emits"]),
        fails=failure_event(said),
        ends=tuple(said.get("ends", ())),
        reads=MappingProxyType({step: _view(folder / file) for step, file in said.get("reads", {}).items()}),
        optional=frozenset(said.get("optional", ())),
        versions=tuple(versions(folder, said.get("retired", {}))),
        file=folder / FILE,
    )
    _check_records(contract, said)
    for file in sorted((folder / "reads").glob("*.avsc")):
        if reads_file(file.stem) not in said.get("reads", {}).values():
            raise ContractError(
                f'expected only views that "reads" in {FILE} names, got another one: remove it, or export again',
                file=file,
            )
    return contract


def _view(file: Path) -> dict[str, Any]:
    schema: dict[str, Any] = read(file)
    record_name(schema, file=file)
    return schema


def record_name(schema: Any, *, file: Path | None = None) -> str:
    """Return the name, without its namespace, of the record whose schema this is.

    Raises:
        SchemaError: it is no acceptable schema, or not that of a record.
    """
    lint(schema, file=file)
    if not isinstance(schema, dict) or schema["type"] != "record":
        raise SchemaError(f"expected the schema of a record, got {shown(schema)}", file=file)
    return unqualified(schema["name"])


def versions(folder: Path, retired: Mapping[str, str] = MappingProxyType({})) -> Iterator[WriterVersion]:
    """Yield the released versions in the folder of a step, sorted; `retired` gives days by `Name.vN`.

    Raises:
        ContractError: the numbers of a record do not run from 1 without a gap.
        SchemaError: a file is not JSON, or no acceptable schema.
    """
    last: defaultdict[str, int] = defaultdict(int)
    for release in releases(folder):
        name, version = release.origin.name, release.origin.version
        last[name] += 1
        if version != last[name]:
            raise ContractError(
                f"expected {name}.v{last[name]}.avsc before this one, got a gap: a released file stays for ever, restore it",
                file=release.file,
            )
        schema = read_release(release)
        day = retired.get(f"{name}.v{version}")
        until = date.fromisoformat(day) if day else None
        yield WriterVersion(name, version, schema, SchemaId.of(schema), release.file, until)


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

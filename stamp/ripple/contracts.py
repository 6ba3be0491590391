"""One state of a contracts folder: as it is now, or as it was in some commit or archive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from stamp.errors import ContractError
from stamp.ripple.foreign import check_own_files, is_contract_file
from stamp.schema.jsonfile import JsonFile
from stamp.schema.release import step_folders
from stamp.workflow.contract import StepContract, WriterVersion, contract, step_files
from stamp.workflow.declaration import FILE, reads_file

__all__ = ["Contracts", "Version", "contracts_of", "is_same", "read_folder"]

Files = Mapping[tuple[str, str], Mapping[str, JsonFile]]
"""The files of each step, by workflow and step, and by their names in the step's folder."""


class Version(NamedTuple):
    """A released version of what a step writes. `label` is what messages call it, `Validated.v2`."""

    step: str
    written: WriterVersion
    label: str

    def __str__(self) -> str:
        return self.label

    @property
    def file(self) -> JsonFile:
        """Its file."""
        return self.written.content


@dataclass(frozen=True, eq=False)
class Contracts:
    """A state of a contracts folder; `name` is what messages call it."""

    name: str
    steps: Mapping[tuple[str, str], StepContract]
    files: Files

    @cached_property
    def workflows(self) -> tuple[str, ...]:
        """The workflows, sorted."""
        return tuple(sorted({workflow for workflow, _ in self.steps}))

    def of(self, workflow: str) -> dict[str, StepContract]:
        """Return the contracts of the steps of a workflow, none if there is no such."""
        return {step: found for (name, step), found in self.steps.items() if name == workflow}

    def only(self, workflows: Collection[str]) -> Contracts:
        """Return the state without other workflows."""
        steps = {key: step for key, step in self.steps.items() if key[0] in workflows}
        return Contracts(self.name, steps, {key: self.files[key] for key in steps})

    def said(self, workflow: str, step: str) -> JsonFile:
        """Return the `step.json` of a step."""
        return self.files[workflow, step][FILE]

    def view(self, workflow: str, step: str, producer: str) -> JsonFile:
        """Return the file of the view through which a step reads another one."""
        return self.files[workflow, step][reads_file(producer)]

    def versions(self, workflow: str, step: str) -> Sequence[Version]:
        """Return the released versions of what a step writes; none if there is no such step."""
        return self._versions.get((workflow, step), ())

    def has(self, workflow: str, version: Version) -> bool:
        """Tell whether a version is here under the same name, and says the same."""
        same = self._by_label.get((workflow, version.step, version.label))
        return same is not None and is_same(same.file, version.file)

    @cached_property
    def _by_label(self) -> Mapping[tuple[str, str, str], Version]:
        return {
            (workflow, step, each.label): each for (workflow, step), found in self._versions.items() for each in found
        }

    @cached_property
    def _versions(self) -> Mapping[tuple[str, str], Sequence[Version]]:
        return {
            (workflow, step): [Version(step, each, f"{each.name}.v{each.version}") for each in found.versions]
            for (workflow, step), found in self.steps.items()
        }


def is_same(one: JsonFile, other: JsonFile) -> bool:
    """Tell whether two files have one schema, what the model enforces included, be its text as it may."""
    return one is other or one.content == other.content


def read_folder(folder: str | PathLike[str], *, name: str | None = None, like: Contracts | None = None) -> Contracts:
    """Return the state of a folder on disk. What it has in common with `like` is not read again.

    Raises:
        ContractError: there is no such folder, a contract in it contradicts itself, or one is a symbolic link or a submodule.
        SchemaError: a file is not JSON, or no acceptable schema.
    """
    check_own_files(Path(folder))
    steps = {(step.parent.name, step.name): step_files(step) for step in step_folders(folder)}
    return _state(name or str(folder), steps, like)


def contracts_of(
    texts: Mapping[str, bytes], *, name: str, path: Callable[[str], Path] = Path, like: Contracts | None = None
) -> Contracts:
    """Return the state that consists of files given by their names in the contracts folder.

    `path` gives what messages call a file. What the state has in common with `like` is not read again.

    Raises:
        ContractError, SchemaError: see `read_folder`.
    """
    steps: defaultdict[tuple[str, str], dict[str, JsonFile]] = defaultdict(dict)
    for file in filter(is_contract_file, texts):
        workflow, step, inner = file.split("/", 2)
        steps[workflow, step][inner] = JsonFile(path(file), texts[file])
    for (workflow, step), files in steps.items():
        if FILE not in files:
            lacking = path(f"{workflow}/{step}/{FILE}")
            raise ContractError("expected a file that can be read, got none", file=lacking)
    return _state(name, dict(sorted(steps.items())), like)


def _state(name: str, steps: Files, like: Contracts | None) -> Contracts:
    known = {} if like is None else like.files
    files = {key: _shared(found, known.get(key, {})) for key, found in steps.items()}
    return Contracts(name, {key: contract(found, gaps=True) for key, found in files.items()}, files)


def _shared(files: Mapping[str, JsonFile], known: Mapping[str, JsonFile]) -> dict[str, JsonFile]:
    """Return files, and in place of each one that is known with the same text, that one: it has been parsed and linted."""
    return {name: _same(file, known.get(name)) for name, file in files.items()}


def _same(file: JsonFile, known: JsonFile | None) -> JsonFile:
    return known if known is not None and known.text == file.text else file

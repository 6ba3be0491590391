"""How the contract of a step that its services have announced differs from the one in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stamp.errors import ContractError
from stamp.schema.jsonfile import JsonFile
from stamp.workflow.announced import AnnouncedStep, unmatched
from stamp.workflow.contract import WriterVersion, contract, step_files, versions
from stamp.workflow.declaration import FILE
from stamp.workflow.draft import Changes, file_bytes, is_said
from stamp.workflow.numbering import taken

__all__ = ["Difference", "difference"]


class Difference(NamedTuple):
    """What lies in the folder `home` of a step otherwise than it is announced; values are JSON.

    `missing` are versions that are announced and not here. `said` is what its step.json and its views should say, `stale` are views that
    are not announced any more. `is_new`: no contract of the step is here. `ahead` are versions that are here, and that nobody has announced.
    """

    home: Path
    missing: Mapping[Path, Any]
    said: Mapping[Path, Any]
    stale: tuple[Path, ...]
    is_new: bool
    ahead: tuple[str, ...]

    @property
    def is_said_otherwise(self) -> bool:
        """Whether step.json or a view differs."""
        return bool(self.said or self.stale)

    def changes(self, *, replace: bool) -> Changes:
        """Return what would bring the folder up to date: missing versions, and with `replace` what is said otherwise.

        Raises:
            ContractError, SchemaError: the contract would contradict itself then.
        """
        changed = Changes({**self.missing, **self.said}, self.stale) if replace else Changes(self.missing, ())
        files = step_files(self.home)
        for file in changed.remove:
            del files[file.relative_to(self.home).as_posix()]
        for file, value in changed.write.items():
            files[file.relative_to(self.home).as_posix()] = JsonFile(file, file_bytes(value))
        contract(files)
        return changed


def difference(home: Path, announced: AnnouncedStep) -> Difference:
    """Compare the folder of a step, which need not be there, with what is announced of it.

    Raises:
        ContractError: a version here is another schema than the one that is announced under its number; or the folder is not in order.
        SchemaError: a file of it is not JSON, or no acceptable schema.
    """
    here = step_files(home)
    released = list(versions({name: file for name, file in here.items() if name != FILE}))
    _check_numbers(released, announced)
    kept = [(each.name, each.version, each.id) for each in released]
    absent = {home / f"{name}.v{number}.avsc" for name, number, _ in unmatched(announced.versions, kept)}
    wanted = {home / name: value for name, value in announced.files().items()}
    missing = {file: value for file, value in wanted.items() if file in absent}
    said = {file: value for file, value in wanted.items() if not _is_version(home, file)}
    views = [file.path for name, file in here.items() if name.startswith("reads/")]
    return Difference(
        home=home,
        missing=missing,
        said={file: value for file, value in said.items() if not (file.exists() and is_said(JsonFile(file), value))},
        stale=tuple(file for file in views if file not in said),
        is_new=not (home / FILE).exists(),
        ahead=tuple(f"{name}.v{number}" for name, number, _ in unmatched(kept, announced.versions)),
    )


def _is_version(home: Path, file: Path) -> bool:
    return file.parent == home and file.name != FILE


def _check_numbers(released: list[WriterVersion], announced: AnnouncedStep) -> None:
    """Accept versions that are here, unless another one is announced under the number of one."""
    here = {(each.name, each.version): each for each in released}
    for each in announced.schemas:
        mine = here.get((each.name, each.version))
        if mine is not None and mine.id != each.id:
            version = f"{each.name}.v{each.version}"
            raise ContractError(taken(announced.step, version, mine=mine.id, other=each.id), file=mine.file)

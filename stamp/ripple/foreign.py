"""What has no place among contracts: symbolic links and submodules. A contract is what lies in its folder, in a work tree as in a revision.

Followed, a link would show files that are none of the contracts, and the content of a released version would stand outside of them, where no
check sees it change.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from stamp.errors import ContractError, InputError
from stamp.schema.release import RESERVED
from stamp.workflow.declaration import FILE
from stamp.workflow.names import is_step_name, is_workflow_name

__all__ = ["GIT_MARK", "check_own_files", "followed", "is_contract_file", "is_contract_place", "refused"]

GIT_MARK: Final = ".git"
"""What is at the top of a work tree."""

VIEWS: Final = "reads"
"""The folder of the views of a step."""


def is_contract_file(file: str) -> bool:
    """Tell whether a file, given by its name in the contracts folder, is part of a contract."""
    match PurePosixPath(file).parts:
        case (workflow, step, *inner) if workflow != RESERVED and workflow[0] != "." and step[0] != ".":
            return inner == [FILE] or (inner[-1:] != [] and inner[-1].endswith(".avsc") and inner[:-1] in ([], [VIEWS]))
    return False


def is_contract_place(name: str) -> bool:
    """Tell whether what lies under a name in the contracts folder may be part of a contract: such a file, or a folder of such files."""
    match PurePosixPath(name).parts:
        case (workflow,):
            return is_workflow_name(workflow)
        case (workflow, step, *inner) if inner in ([], [VIEWS]):
            return is_workflow_name(workflow) and is_step_name(step)
    return is_contract_file(name)


def refused(what: str, place: Path) -> ContractError:
    """Return the error for what is no file of its own."""
    return ContractError(
        f"expected a file or a folder of its own, got {what}: put the contract itself here", file=place
    )


def followed(folder: Path, top: Path) -> Path:
    """Return where a folder is; symbolic links are followed as long as they are not below `top`, that of the work tree.

    Raises:
        InputError: one is. A revision does not know where it leads to.
    """
    place = Path(os.path.realpath(Path.cwd()))
    for part in folder.parts:
        inner = place.parent if part == ".." else place / part
        if inner.is_symlink():
            if place.is_relative_to(top):
                raise InputError(
                    f"expected a folder, got {inner.relative_to(top).as_posix()}, a symbolic link: say the folder that it leads to",
                    file=folder,
                )
            inner = Path(os.path.realpath(inner))  # a loop is no error here, but no such folder
        place = inner
    return place


def check_own_files(folder: Path) -> None:
    """Accept a contracts folder, be it there or not, in which every contract is a file of its own.

    Raises:
        ContractError: there is a symbolic link, a submodule or another repository where a contract may be, or a folder that cannot be read.
    """
    for name, what in _foreign(folder) if folder.is_dir() else ():
        raise refused(what, folder / name)


def _foreign(folder: Path, below: str = "") -> Iterator[tuple[str, str]]:
    try:
        with os.scandir(folder / below) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        raise ContractError(f"expected a folder that can be read: {error.strerror}", file=folder / below) from error
    for entry in entries:
        name = f"{below}{entry.name}"
        if below and entry.name == GIT_MARK:
            yield below.rstrip("/"), "a submodule or another repository"
        elif entry.is_symlink() and is_contract_place(name):
            yield name, "a symbolic link"
        elif entry.is_dir(follow_symlinks=False) and is_contract_place(name):
            yield from _foreign(folder, f"{name}/")

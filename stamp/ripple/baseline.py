"""What the present contracts are compared with: a state of the same folder elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Final

from stamp.errors import InputError
from stamp.ripple.archive import read_archive
from stamp.ripple.contracts import Contracts, contracts_of, read_folder
from stamp.ripple.foreign import is_contract_file
from stamp.ripple.revision import FULL, Revision, is_revision, read_revision

__all__ = ["is_path", "read_baseline"]

ARCHIVES: Final = (".tar", ".tar.gz", ".tgz")


def read_baseline(
    given: str,
    folder: str | PathLike[str],
    *,
    like: Contracts | None = None,
    merge_base: bool = True,
    told: Callable[[str], object] = str,
) -> Contracts:
    """Return the state of a contracts folder that a person means by `given`: a folder, a .tar file, or else a git revision.

    A tag or a commit means exactly that one. What names a revision and a folder or a file is refused: who may add the one could else take the
    place of the other. A path may begin with `./`; a long name such as `refs/heads/main` is always a revision.

    Args:
        given: what the person said.
        folder: the contracts folder that is being checked.
        like: its present state; what did not change is not read again.
        merge_base: of a branch take the commit where the present branch left it, not its newest one.
        told: is called with what a person should know: that a revision has no contracts, as before the first ones, or before the
            folder was moved.

    Raises:
        InputError: there is no such thing, or it cannot be read, or it is a folder or a file without contracts; with what to do.
        ContractError: a contract in it contradicts itself, or is a symbolic link or a submodule.
        SchemaError: a file in it is not JSON, or no acceptable schema.
    """
    home = Path(folder)
    if is_path(given):
        return _read_path(given, home, like)
    read = read_revision(given, home, is_wanted=is_contract_file, merge_base=merge_base)
    name = _name(given, read)
    if not read.files:
        told(
            f"{name} has no contracts in {home}: all of it counts as new. If the folder moved, give the old one: "
            f"git archive --output=old.tar {read.commit[:10]} OLD, then --against old.tar"
        )
    return contracts_of(read.files, name=name, path=lambda file: Path(f"{given}:{home.as_posix()}/{file}"), like=like)


def _read_path(given: str, home: Path, like: Contracts | None) -> Contracts:
    path = Path(given)
    kind = _kind(path)
    if kind is None:
        expected = "a .tar file that can be read" if given.endswith(ARCHIVES) else "a folder or a .tar file"
        raise InputError(f"expected {expected}, got none", file=path)
    if not _begins_as_path(given):
        _check_name(given, kind)
    return _read_folder(path, given, like) if kind == "folder" else _read_archive(path, given, home, like)


def _check_name(given: str, kind: str) -> None:
    """Accept a name that is none of a revision."""
    try:
        is_double = is_revision(given)
    except InputError as error:
        raise InputError(
            f"expected one thing, got {given!r}, which is a {kind}, and perhaps a revision, too: say ./{given} for the {kind}. Whether it is a "
            f"revision cannot be told: {error.message}"
        ) from error
    if is_double:
        raise InputError(
            f"expected one thing, got {given!r}, which is a revision and a {kind}, too: say ./{given} for the {kind}, or of a branch "
            f"or a tag the long name, such as refs/remotes/origin/main"
        )


def _kind(path: Path) -> str | None:
    try:
        return "folder" if path.is_dir() else "file" if path.is_file() else None
    except OSError:  # its name is longer than any file's
        return None


def is_path(given: str) -> bool:
    """Tell whether a text is meant for a folder or a file, be it there or not; the full name of a revision never is."""
    if given.startswith(FULL):
        return False
    return given.endswith(ARCHIVES) or _begins_as_path(given) or _kind(Path(given)) is not None


def _begins_as_path(given: str) -> bool:
    """Tell whether a text is a path, whatever is there: no revision begins like this."""
    return given.startswith(".") or Path(given).is_absolute()


def _read_folder(path: Path, given: str, like: Contracts | None) -> Contracts:
    found = read_folder(path, name=given, like=like)
    if not found.steps:
        raise InputError("expected a contracts folder, with <workflow>/<step>/step.json, got none in it", file=path)
    return found


def _read_archive(path: Path, given: str, home: Path, like: Contracts | None) -> Contracts:
    texts = read_archive(path, called=home.absolute().name, is_wanted=is_contract_file)
    return contracts_of(texts, name=given, path=lambda file: path / file, like=like)


def _name(given: str, read: Revision) -> str:
    if read.commit.startswith(given):
        return given
    left = "where this branch left it: " if read.is_left else ""
    return f"{given} ({left}{read.commit[:10]})"

"""A contracts folder in a .tar file, such as `git archive` writes, read without unpacking it."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from stamp.errors import InputError
from stamp.workflow.declaration import FILE

__all__ = ["read_archive"]

MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes of all contracts in an archive together."""


def read_archive(file: Path, *, called: str, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the wanted files of the contracts folder in an archive, by their names in that folder.

    The folder is found by the `step.json` files in it; where there are several, it is the one whose name is `called`.

    Raises:
        InputError: this is no archive, or holds no contracts, or more than one folder of them, or too much.
    """
    try:
        with tarfile.open(file) as archive:
            members = {_name(member): member for member in archive if member.isreg()}
            root = _root(list(members), called, file)
            wanted = {name.removeprefix(root): each for name, each in members.items() if name.startswith(root)}
            wanted = {name: member for name, member in wanted.items() if is_wanted(name)}
            if sum(member.size for member in wanted.values()) > MAX_SIZE:
                raise InputError(f"expected contracts of at most {MAX_SIZE} bytes, got more", file=file)
            return {name: _content(archive, member) for name, member in wanted.items()}
    except (OSError, EOFError, tarfile.TarError) as error:
        raise InputError(f"expected a .tar file that can be read: {error}", file=file) from error


def _name(member: tarfile.TarInfo) -> str:
    return PurePosixPath(member.name).as_posix()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    assert content is not None
    return content.read()


def _root(names: list[str], called: str, file: Path) -> str:
    """Return what the names of the contracts folder's files begin with."""
    declared = [name.split("/") for name in names if name.endswith(f"/{FILE}") and name.count("/") >= 2]
    found = {tuple(parts[:-3]) for parts in declared}
    roots = {root for root in found if root[-1:] == (called,)} or found
    if len(roots) != 1:
        several = ", ".join(sorted("/".join(root) or "its top" for root in roots)) or "none"
        raise InputError(f"expected one folder of contracts, or one called {called!r}, got {several}", file=file)
    return "".join(f"{part}/" for part in roots.pop())

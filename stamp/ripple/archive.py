"""A contracts folder in a .tar file, such as `git archive` writes, read without unpacking it."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from stamp.errors import InputError, StampError
from stamp.ripple.foreign import is_contract_place, refused
from stamp.workflow.declaration import FILE

__all__ = ["read_archive"]

MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes of all contracts in an archive together."""

CHUNK: Final = 64 * 1024

ADVICE: Final = "write it again, for instance with `git archive --output=baseline.tar REVISION FOLDER`"


def read_archive(file: Path, *, called: str, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the wanted files of the contracts folder in an archive, by their names in that folder.

    The folder is found by the `step.json` files in it; where there are several, it is the one whose name is `called`.

    Raises:
        InputError: this is no archive, or not a whole one, or holds no contracts, or more than one folder of them, or too much.
        ContractError: a contract in it is a link.
    """
    try:
        if not file.stat().st_size:
            raise InputError(f"expected a .tar file, got an empty file: {ADVICE}", file=file)
        with tarfile.open(file) as archive:
            members = {_name(member): member for member in archive if not member.isdir()}
            _check_end(archive)
            root = _root(list(members), called, file)
            inside = {name.removeprefix(root): each for name, each in members.items() if name.startswith(root)}
            _check_own(inside, file)
            wanted = {name: member for name, member in inside.items() if is_wanted(name)}
            if sum(member.size for member in wanted.values()) > MAX_SIZE:
                raise InputError(f"expected contracts of at most {MAX_SIZE} bytes, got more", file=file)
            return {name: _content(archive, member) for name, member in wanted.items()}
    except StampError:
        raise
    except Exception as error:  # tarfile and each decompressor have their own words for broken bytes
        why = getattr(error, "strerror", None)
        got = f"got none: {why}" if why else f"got one that is broken or cut short: {ADVICE}"
        raise InputError(f"expected a .tar file that can be read, {got}", file=file) from error


def _check_own(members: Mapping[str, tarfile.TarInfo], file: Path) -> None:
    for name, member in members.items():
        if not member.isreg() and is_contract_place(name):
            raise refused("a symbolic link" if member.issym() else "a hard link, pipe or device", file / name)


def _check_end(archive: tarfile.TarFile) -> None:
    """Accept an archive whose members, all of them read, are followed by a block of zeros: tarfile takes any end for the end."""
    assert archive.fileobj is not None
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no end of archive")
    while archive.fileobj.read(CHUNK):  # a decompressor compares its checksum at the very end
        pass


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
    if not roots:
        raise InputError(
            f"expected one folder of contracts, with <workflow>/<step>/{FILE}, got none: the revision that it was made of has nothing "
            f"under the name that was given. Name a folder that it has: {ADVICE}",
            file=file,
        )
    if len(roots) != 1:
        several = ", ".join(sorted("/".join(root) or "its top" for root in roots))
        raise InputError(f"expected one folder of contracts, or one called {called!r}, got {several}", file=file)
    return "".join(f"{part}/" for part in roots.pop())

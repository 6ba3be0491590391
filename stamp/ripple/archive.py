"""A contracts folder in a .tar file, such as `git archive` writes, read without unpacking it.

An archive is what somebody else made: a few megabytes may stand for gigabytes, and millions of members for none. It is read once, from its
beginning to its end, and never more of it than the limits here allow is in memory.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from stamp.errors import InputError, StampError
from stamp.ripple.foreign import is_contract_place, refused
from stamp.ripple.unpacking import Unpacked
from stamp.schema.limits import MAX_FILE
from stamp.workflow.declaration import FILE

__all__ = ["MAX_MEMBERS", "MAX_SIZE", "read_archive"]

MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes of all contracts in an archive together."""

MAX_MEMBERS: Final = 50_000
"""Files and folders of an archive: some 3 seconds."""

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
        with file.open("rb") as packed:
            members = dict(_members(Unpacked(packed, file), file))
    except StampError:
        raise
    except Exception as error:  # tarfile and each decompressor have their own words for broken bytes
        why = getattr(error, "strerror", None)
        got = f"got none: {why}" if why else f"got one that is broken or cut short: {ADVICE}"
        raise InputError(f"expected a .tar file that can be read, {got}", file=file) from error
    root = _root(list(members), called, file)
    found = {name.removeprefix(root): content for name, content in members.items() if name.startswith(root)}
    for name, content in found.items():
        if isinstance(content, str) and is_contract_place(name):
            raise refused(content, file / name)
    return {name: content for name, content in found.items() if isinstance(content, bytes) and is_wanted(name)}


def _members(stream: Unpacked, file: Path) -> Iterator[tuple[str, bytes | str]]:
    """Yield the files of an archive that may be of a contract, each with its content as it passes by; and what is no file, as what it is."""
    size = count = 0
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]  # read, seek and tell are what it needs
        while (member := archive.next()) is not None:
            archive.members.clear()  # of what is passed nothing is kept
            if member.size < 0:
                raise tarfile.ReadError("a member of a negative size")
            stream.described()
            count += 1
            if count > MAX_MEMBERS:
                raise InputError(f"expected at most {MAX_MEMBERS} members, got more: {ADVICE}", file=file)
            name = PurePosixPath(member.name).as_posix()
            if not member.isreg() and not member.isdir():
                yield name, "a symbolic link" if member.issym() else "a hard link, pipe or device"
            if not member.isreg() or not name.endswith((f"/{FILE}", ".avsc")):
                continue
            size += member.size
            if size > MAX_SIZE:
                raise InputError(f"expected contracts of at most {MAX_SIZE} bytes, got more", file=file)
            if member.size > MAX_FILE:
                raise InputError(
                    f"expected files of contracts of at most {MAX_FILE} bytes, got {name!r} with more", file=file
                )
            if member.issparse():
                raise InputError(f"expected contracts written whole, got the sparse file {name!r}: {ADVICE}", file=file)
            stream.seek(member.offset_data)
            yield name, stream.take(member.size)
        _check_end(stream)


def _check_end(stream: Unpacked) -> None:
    """Accept an archive whose members, all of them read, are followed by a block of zeros: tarfile takes any end for the end."""
    if stream.last != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no end of archive")
    while stream.take(CHUNK):  # a decompressor compares its checksum at the very end
        pass


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

"""A contracts folder as a git revision has it, read in place: nothing is cloned, fetched or checked out.

Seven short git processes, whatever the number of files: `rev-parse` three times, `for-each-ref`, `merge-base`, `ls-tree`, `cat-file --batch`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from stamp.errors import InputError
from stamp.ripple.absence import advice
from stamp.ripple.foreign import is_contract_place, refused
from stamp.ripple.repository import COMMIT, LINK, SUBMODULE, Repository, is_around, said

__all__ = ["FULL", "Point", "Revision", "default_branch", "is_revision", "read_files", "read_revision", "where"]

REGULAR: Final = frozenset({b"100644", b"100755", b"100664"})
"""The modes of plain files in a tree: no symbolic links, no submodules."""


FOREIGN: Final[Mapping[bytes, str]] = {LINK: "a symbolic link", SUBMODULE: "a submodule"}
"""What contracts must not be, by its mode in a tree."""


TREE: Final = b"040000"


DEFAULTS: Final = ("refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master")
"""What the branch that others branch from is called, where the clone does not know it."""


ABBREVIATED: Final = re.compile("[0-9a-f]{4,63}")


FULL: Final = "refs/"
"""What the full name of a branch, a tag or whatever git names begins with: such a text is a revision, whatever else has that name."""


BRANCHES: Final = ("refs/heads/", "refs/remotes/")
"""What the full name of a branch begins with."""


REFLOG: Final = re.compile(r"@\{[^{}]+\}")


NO_COMMIT: Final = re.compile(r"[-^./]|.*(\.\.|[\s:]|\^[@!-]|\^\{/)")
"""How a text begins, or what is in it, that names no single commit: an option, a path, a range, what is left out, a search in messages (gitrevisions(7))."""


PLACES: Final = ("refs/", "refs/tags/", "refs/heads/", "refs/remotes/")
"""Where git looks for a name that is no full one."""


class Point(NamedTuple):
    """The commit that a person means. `is_left` tells that the revision is a branch that has gone on since, when the present branch left it there."""

    commit: str
    is_left: bool = False


class Revision(NamedTuple):
    """What was read: the commit, as in `Point`, and the content of each file by its name in the contracts folder."""

    commit: str
    files: Mapping[str, bytes]
    is_left: bool = False


def read_revision(
    revision: str, folder: Path, *, is_wanted: Callable[[str], bool], merge_base: bool = True
) -> Revision:
    """Return the wanted files of `folder` as they are in a revision of the repository of the current folder, which the folder is in.

    A tag, a commit, or an expression such as `HEAD~1` means exactly that commit. With `merge_base` a branch means the commit where the
    present one left it: what others have changed there since is not taken for a change of this branch. A folder that the revision
    does not have has no files.

    Raises:
        InputError: there is no such revision here, or no repository, or no git; with the command that helps.
        ContractError: a contract is no file of its own there.
    """
    repository = Repository.here()
    inside = repository.name(folder)
    commit, is_left = where(repository, revision, merge_base=merge_base)
    if repository.may_be_sparse and (command := repository.left_out(folder)):
        raise InputError(
            f"expected the contracts in the work tree, got some that are left out: run `{command}`", file=folder
        )
    called = Path(f"{revision}:{folder.as_posix()}")
    blobs = {name: blob for name, blob in _tree(repository, commit, inside, called) if is_wanted(name)}
    found = dict(zip(blobs, _contents(repository, list(blobs.values()), commit), strict=True))
    return Revision(commit, found, is_left)


def read_files(repository: Repository, commit: str, names: Iterable[str]) -> dict[str, bytes]:
    """Return the content of those of some files, named from the top, that a commit has, be it behind symbolic links within it."""
    wanted = list(names)
    if not wanted:
        return {}  # git would list the whole top
    listed = repository.run("ls-tree", "-z", "--full-tree", commit, "--", *wanted).stdout
    found = {
        name: blob if mode in REGULAR else _linked(repository, commit, name)
        for mode, name, blob in _entries(listed)
        if mode in REGULAR or mode == LINK
    }
    blobs = {name: blob for name, blob in found.items() if blob is not None}
    return dict(zip(blobs, _contents(repository, list(blobs.values()), commit), strict=True))


def _linked(repository: Repository, commit: str, name: str) -> str | None:
    """Return the file that a symbolic link leads to within a commit; None if it leads to none there."""
    if "\n" in name:
        return None
    done = repository.run("cat-file", "--batch-check", "--follow-symlinks", given=os.fsencode(f"{commit}:{name}\n"))
    match done.stdout.split():
        case [blob, b"blob", _] if COMMIT.fullmatch(blob.decode(errors="replace")):
            return blob.decode()
    return None


def is_revision(text: str) -> bool:
    """Tell whether a text names a commit of the repository of the current folder; where none is around, none does.

    Raises:
        InputError: that cannot be told, for git is not there, or does not take the repository: files of a change can see to that.
    """
    if not (_may_be_commit(text) and is_around()):
        return False
    repository = Repository.here()
    return not repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").returncode


def default_branch(folder: Path) -> str | None:
    """Return the branch that others branch from, by its full name: that of the remote `origin`, else the usual ones; None if there is none.

    Raises:
        InputError: the folder is not in the repository of the current one, or there is no git.
    """
    repository = Repository.here()
    repository.name(folder)
    listed = repository.run(
        "for-each-ref", "--format=%(refname) %(symref)", "refs/remotes/origin/HEAD", *DEFAULTS
    ).stdout
    there = dict(line.split(" ", 1) for line in listed.decode(errors="replace").splitlines())
    return there.get("refs/remotes/origin/HEAD") or next((name for name in DEFAULTS if name in there), None)


def where(repository: Repository, revision: str, *, merge_base: bool = True) -> Point:
    """Return the commit that a person means by a revision; of a branch the one where the present branch left it.

    Raises:
        InputError: it names no commit, or more than one.
    """
    if not _may_be_commit(revision):
        raise InputError(
            f"expected a git revision, got {revision!r}: say one commit, such as a branch, a tag or HEAD~1"
        )
    newest = _commit(repository, revision)
    _check_name(repository, revision)
    if not (merge_base and _is_branch(repository, revision)):
        return Point(newest)
    left = _merge_base(repository, newest, revision)
    return Point(left, is_left=left != newest)


def _may_be_commit(text: str) -> bool:
    return text.isprintable() and text != "" and not NO_COMMIT.match(REFLOG.sub("@{}", text))


def _commit(repository: Repository, revision: str) -> str:
    done = repository.run("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    found = done.stdout.decode(errors="replace").strip()
    if done.returncode or not COMMIT.fullmatch(found):
        why = advice(repository, revision, said(done))
        raise InputError(f"expected a git revision, got {revision!r}, which is not here: {why}")
    return found


def _check_name(repository: Repository, revision: str) -> None:
    """Accept the name of one thing. Who may push a tag could else take the place of a branch, or of a commit by its first digits."""
    name = re.split(r"[~^]|@\{", revision, maxsplit=1)[0]
    if name.startswith(FULL) or name in {"", "@", "HEAD"} or COMMIT.fullmatch(name):
        return
    there = [f"{place}{name}" for place in PLACES] + [f"refs/remotes/{name}/HEAD"]
    listed = repository.run("for-each-ref", "--format=%(refname)", *there).stdout.decode(errors="replace")
    found = [each for each in listed.splitlines() if each in there]
    if found and ABBREVIATED.fullmatch(name):
        found += repository.run("rev-parse", f"--disambiguate={name}").stdout.decode().split()
    if len(found) > 1:
        raise InputError(
            f"expected the name of one thing, got {name!r}, which several have: say one of {', '.join(found)}"
        )


def _is_branch(repository: Repository, revision: str) -> bool:
    done = repository.run("rev-parse", "--symbolic-full-name", "--end-of-options", revision)
    return any(line.startswith(BRANCHES) for line in done.stdout.decode(errors="replace").splitlines())


def _merge_base(repository: Repository, commit: str, revision: str) -> str:
    done = repository.run("merge-base", "HEAD", commit)
    if not done.returncode:
        return done.stdout.decode().split()[0]
    if repository.is_shallow:
        raise InputError(
            f"expected the commit where this branch left {revision!r}, got a shallow clone that does not reach it: "
            "run `git fetch --unshallow`, or in a workflow of GitHub let actions/checkout have `fetch-depth: 0`"
        )
    raise InputError(
        f"expected the commit where this branch left {revision!r}, got none: "
        f"run `git archive --output=baseline.tar {revision}` and give baseline.tar, to compare with it all the same"
    )


def _tree(repository: Repository, commit: str, inside: str, called: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the object of each plain file below a folder of a commit; nothing if that does not exist."""
    done = repository.run("ls-tree", "-r", "-t", "-z", "--full-tree", commit, *(["--", inside] if inside else []))
    if done.returncode:
        raise _lacking(repository, commit, said(done))
    below = f"{inside}/" if inside else ""
    has_folder = not inside
    for mode, name, blob in _entries(done.stdout):
        has_folder = has_folder or (name, mode) == (inside, TREE)
        if not name.startswith(below) or mode == TREE:
            continue
        file = name.removeprefix(below)
        if mode in FOREIGN and is_contract_place(file):
            raise refused(FOREIGN[mode], called / file)
        if mode in REGULAR:
            yield file, blob
    if not has_folder:
        _check_folders(repository, commit, PurePosixPath(inside), called)


def _check_folders(repository: Repository, commit: str, inside: PurePosixPath, called: Path) -> None:
    """Accept a folder that a commit does not have; not one that is elsewhere there."""
    for folder in reversed([inside, *inside.parents][:-1]):
        listed = repository.run("ls-tree", "-z", "--full-tree", commit, "--", folder.as_posix()).stdout
        for mode, name, found in _entries(listed):
            if mode == SUBMODULE:
                raise InputError(
                    f"expected a folder, got a submodule, {name}: where it is checked out run `git -C {name} archive "
                    f"--output=baseline.tar {found[:10]}`, and give the baseline.tar that is in it then",
                    file=called,
                )
            if mode == LINK:
                raise InputError(
                    f"expected a folder, got a symbolic link, {name}: say the folder that it leads to", file=called
                )


def _entries(listed: bytes) -> Iterator[tuple[bytes, str, str]]:
    """Yield the mode, the name and the object of each entry of a tree."""
    for entry in filter(None, listed.split(b"\0")):
        described, _, name = entry.partition(b"\t")
        mode, _, found = described.split(b" ")
        yield mode, name.decode(errors="surrogateescape"), found.decode()


def _contents(repository: Repository, blobs: list[str], commit: str) -> Iterator[bytes]:
    """Yield the content of objects (git-cat-file(1), "BATCH OUTPUT")."""
    done = repository.run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
    at = 0
    for _ in blobs:
        end = done.stdout.find(b"\n", at)
        size = done.stdout[at:end].rpartition(b" ")[2]
        if done.returncode or end < 0 or not size.isdigit():
            raise _lacking(repository, commit, said(done) if done.stderr.strip() else "")
        at = end + 1 + int(size)
        yield done.stdout[end + 1 : at]
        at += 1


def _lacking(repository: Repository, commit: str, why: str) -> InputError:
    remotes = repository.promisors
    if remotes:
        return InputError(
            f"expected the files of {commit[:12]} in this repository, got a partial clone, which has left them to {remotes[0]}: run "
            f"`git fetch --refetch --no-filter {remotes[0]}`. If that is gone, run `git archive --output=baseline.tar {commit[:10]}` in "
            "a whole clone, and give baseline.tar"
        )
    because = f" ({why})" if why else ""
    return InputError(f"expected the files of {commit[:12]} in this repository{because}: run `git fsck`")

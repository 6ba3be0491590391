"""A contracts folder as a git revision has it, read in place: nothing is cloned, fetched or checked out.

Six short git processes at most, whatever the number of files: `rev-parse` three times, `merge-base`, `ls-tree`, `cat-file --batch`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from stamp.errors import InputError

__all__ = ["Revision", "default_branch", "read_revision"]

REGULAR: Final = frozenset({b"100644", b"100755", b"100664"})
"""The modes of plain files in a tree: no symbolic links, no submodules."""


RELATIVE: Final = frozenset("~^@")
"""What stands in a revision that leads from another one to a commit that may be missing (gitrevisions(7))."""


DEFAULTS: Final = ("refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master")
"""What the branch that others branch from is called, where the clone does not know it."""


COMMIT: Final = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
"""The whole name of a commit: only by that a remote can be asked for it."""


BRANCHES: Final = ("refs/heads/", "refs/remotes/")
"""What the full name of a branch begins with."""


class Revision(NamedTuple):
    """What was read: the commit, and the content of each file by its name in the contracts folder.

    `is_left` tells that the revision is a branch that has gone on since the commit, where the present branch left it.
    """

    commit: str
    files: Mapping[str, bytes]
    is_left: bool = False


def read_revision(
    revision: str, folder: Path, *, is_wanted: Callable[[str], bool], merge_base: bool = True
) -> Revision:
    """Return the wanted files of `folder` as they are in a revision of the repository that the folder is in.

    A tag, a commit, or an expression such as `HEAD~1` means exactly that commit. With `merge_base` a branch means the commit where the
    present one left it: what others have changed there since is not taken for a change of this branch. A folder that the revision
    does not have has no files.

    Raises:
        InputError: there is no such revision here, or no repository, or no git; with the command that helps.
    """
    if not revision or revision.startswith("-"):
        raise InputError(f"expected a git revision, got {revision!r}")
    home = _existing(folder)
    git = _Git(home)
    prefix, is_shallow = git.place()
    newest = commit = git.commit(revision, is_shallow=is_shallow)
    if merge_base and git.is_branch(revision):
        commit = git.merge_base(newest, revision, is_shallow=is_shallow)
    below = folder.absolute().relative_to(home).as_posix()
    inside = "/".join(part for part in (prefix.rstrip("/"), below) if part not in {"", "."})
    blobs = {name: blob for name, blob in git.tree(commit, inside) if is_wanted(name)}
    found = dict(zip(blobs, git.contents(list(blobs.values()), commit), strict=True))
    return Revision(commit, found, is_left=commit != newest)


def default_branch(folder: Path) -> str | None:
    """Return the branch that others branch from, by its full name: that of the remote `origin`, else the usual ones; None if there is none.

    Raises:
        InputError: the folder is in no repository, or there is no git.
    """
    git = _Git(_existing(folder))
    git.place()
    listed = git.run("for-each-ref", "--format=%(refname) %(symref)", "refs/remotes/origin/HEAD", *DEFAULTS).stdout
    there = dict(line.split(" ", 1) for line in listed.decode(errors="replace").splitlines())
    return there.get("refs/remotes/origin/HEAD") or next((name for name in DEFAULTS if name in there), None)


def _existing(folder: Path) -> Path:
    """Return a folder, or the innermost one around it that exists."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())


class _Git(NamedTuple):
    """The repository that a folder is in."""

    home: Path

    def run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ("git", "--no-optional-locks", "-C", str(self.home), *arguments)
        try:
            return subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: S603 - no shell, no option from outside
        except OSError as error:
            raise InputError(
                f"expected git, to read a revision: {error.strerror}; or give a folder or a .tar file"
            ) from error

    def place(self) -> tuple[str, bool]:
        """Return the home within its repository, and whether that lacks old commits."""
        done = self.run("rev-parse", "--show-prefix", "--is-shallow-repository")
        if done.returncode:
            raise InputError(f"expected a folder in a git repository: {_said(done)}", file=self.home)
        prefix, is_shallow = done.stdout.decode(errors="surrogateescape").split("\n")[:2]
        return prefix, is_shallow == "true"

    def commit(self, revision: str, *, is_shallow: bool) -> str:
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if done.returncode:
            raise InputError(
                f"expected a git revision, got {revision!r}, which is not here: {self._help(revision, is_shallow=is_shallow)}"
            )
        return done.stdout.decode().strip()

    def is_branch(self, revision: str) -> bool:
        """Tell whether a revision is the name of a branch. Of a tag and a branch of one name git takes the tag, and so do we."""
        done = self.run("rev-parse", "--symbolic-full-name", "--end-of-options", revision)
        return any(line.startswith(BRANCHES) for line in done.stdout.decode(errors="replace").splitlines())

    def _help(self, revision: str, *, is_shallow: bool) -> str:
        if is_shallow and not RELATIVE.isdisjoint(revision):
            return "run `git fetch --unshallow`"
        remotes = self.run("remote").stdout.decode(errors="replace").split()
        remote, _, branch = revision.partition("/")
        if branch and remote in remotes:
            return f"run `{_fetching(remote, branch, is_shallow=is_shallow)}`"
        for each in remotes:
            if not self.run("rev-parse", "--verify", "--quiet", f"refs/remotes/{each}/{revision}").returncode:
                return f"say `{each}/{revision}`"
        if not remotes:
            return "see `git branch --all` and `git tag` for those that are; or give a folder or a .tar file"
        there = next((each for each in remotes if each == "origin"), remotes[0])
        exactly = f"git fetch {'--depth=1 ' if is_shallow else ''}{there}"
        if COMMIT.fullmatch(revision):
            return f"run `{exactly} {revision}`"
        fetching = _fetching(there, revision, is_shallow=is_shallow)
        return f"for a tag run `{exactly} tag {revision}`; for a branch run `{fetching}`, then say `{there}/{revision}`"

    def merge_base(self, commit: str, revision: str, *, is_shallow: bool) -> str:
        done = self.run("merge-base", "HEAD", commit)
        if not done.returncode:
            return done.stdout.decode().split()[0]
        if is_shallow:
            raise InputError(
                f"expected the commit where this branch left {revision!r}, got a shallow clone that does not reach it: "
                "run `git fetch --unshallow`, or in a workflow of GitHub let actions/checkout have `fetch-depth: 0`"
            )
        raise InputError(
            f"expected a commit that this branch and {revision!r} have in common, got none{_because(done)}: "
            f"run `git archive --output=baseline.tar {revision}` and give baseline.tar, to compare with it all the same"
        )

    def tree(self, commit: str, inside: str) -> Iterator[tuple[str, str]]:
        """Yield the name and the object of each plain file below a folder of a commit; nothing if that does not exist."""
        done = self.run("ls-tree", "-r", "-z", "--full-tree", f"{commit}:{inside}" if inside else commit)
        if done.returncode:
            if self.run("cat-file", "-e", f"{commit}:{inside}").returncode:
                return
            raise InputError(f"expected a folder in {commit[:12]}: {_said(done)}", file=inside)
        for entry in filter(None, done.stdout.split(b"\0")):
            described, _, name = entry.partition(b"\t")
            mode, _, blob = described.split(b" ")
            if mode in REGULAR:
                yield name.decode(errors="surrogateescape"), blob.decode()

    def contents(self, blobs: list[str], commit: str) -> Iterator[bytes]:
        """Yield the content of objects (git-cat-file(1), "BATCH OUTPUT")."""
        done = self.run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
        at = 0
        for _ in blobs:
            end = done.stdout.find(b"\n", at)
            size = done.stdout[at:end].rpartition(b" ")[2]
            if done.returncode or end < 0 or not size.isdigit():
                raise InputError(
                    f"expected the files of {commit[:12]} in this repository{_because(done)}: run `git fsck`"
                )
            at = end + 1 + int(size)
            yield done.stdout[end + 1 : at]
            at += 1


def _fetching(remote: str, branch: str, *, is_shallow: bool) -> str:
    """Return the command that fetches a branch, and with it the commit where others left it."""
    return f"git fetch {'--unshallow ' if is_shallow else ''}{remote} {branch}:refs/remotes/{remote}/{branch}"


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    text = done.stderr.decode(errors="replace").strip()
    return text.removeprefix("fatal: ") or "git does not say why"


def _because(done: subprocess.CompletedProcess[bytes]) -> str:
    return f" ({_said(done)})" if done.stderr.strip() else ""

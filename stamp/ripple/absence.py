"""What to do about a revision that is not here: the very command that helps."""

from __future__ import annotations

import os.path
import re
from typing import Final

from stamp.ripple.repository import COMMIT, Repository

__all__ = ["advice"]

RELATIVE: Final = frozenset("~^@")
"""What stands in a revision that leads from another one to a commit that may be missing (gitrevisions(7))."""


UPSTREAM: Final = re.compile(r"@\{(u|upstream|push)\}", re.IGNORECASE)


def advice(repository: Repository, revision: str, why: str) -> str:
    """Return what to do about a revision that is not here; `why` is what git says."""
    remotes = repository.run("remote").stdout.decode(errors="replace").split()
    there = next((each for each in remotes if each == "origin"), next(iter(remotes), None))
    if UPSTREAM.search(revision):
        branch = f"{there}/BRANCH" if there else "the branch itself, such as main"
        setting = f", or set one with `git branch --set-upstream-to={branch}`" if there else ""
        return f"{why}. Say {branch}{setting}"
    if "@{" in revision:
        return f"{why}. That is a history of this clone alone: say a branch, a tag or a commit"
    start = re.split("[~^]", revision)[0]
    if start in {"HEAD", "@"} and repository.run("rev-parse", "--verify", "--quiet", "HEAD").returncode:
        return "nothing has been committed yet"
    if repository.is_shallow and not RELATIVE.isdisjoint(revision):
        return "run `git fetch --unshallow`"
    if not RELATIVE.isdisjoint(revision):
        return f"see `git log {start}` for those that are"
    helps = _fetching_advice(repository, revision, remotes, there)
    return f"{helps}; or say ./{revision} for the folder or the file" if os.path.lexists(revision) else helps


def _fetching_advice(repository: Repository, revision: str, remotes: list[str], there: str | None) -> str:
    if (tag := revision.removeprefix("refs/tags/")) != revision and there:
        return f"run `{_fetching_this(repository, there)} tag {tag}`"
    revision = revision.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    remote, _, branch = revision.partition("/")
    if branch == "HEAD" and remote in remotes:
        return f"run `git remote set-head {remote} --auto`, or say a branch of it, such as {remote}/main"
    if branch and remote in remotes:
        return f"run `{_fetching(remote, branch, is_shallow=repository.is_shallow)}`"
    for each in remotes:
        if not repository.run("rev-parse", "--verify", "--quiet", f"refs/remotes/{each}/{revision}").returncode:
            return f"say `{each}/{revision}`"
    if there is None:
        return "see `git branch --all` and `git tag` for those that are; or give a folder or a .tar file"
    exactly = _fetching_this(repository, there)
    if COMMIT.fullmatch(revision):
        return f"run `{exactly} {revision}`"
    fetching = _fetching(there, revision, is_shallow=repository.is_shallow)
    return f"for a tag run `{exactly} tag {revision}`; for a branch run `{fetching}`, then say `{there}/{revision}`"


def _fetching_this(repository: Repository, remote: str) -> str:
    """Return how the command begins that fetches a commit, and no more of a shallow clone."""
    return f"git fetch {'--depth=1 ' if repository.is_shallow else ''}{remote}"


def _fetching(remote: str, branch: str, *, is_shallow: bool) -> str:
    """Return the command that fetches a branch, and with it the commit where others left it."""
    return f"git fetch {'--unshallow ' if is_shallow else ''}{remote} {branch}:refs/remotes/{remote}/{branch}"

"""The git repository of the current folder, asked in a way that nothing in the checked-out files can answer.

Those files may be a stranger's pull request. So no command runs in a folder of theirs, a folder that looks like a bare repository is none, nothing is
fetched, and no setting that names a program holds, wherever it stands: a repository may include settings from its own files.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from stamp.errors import InputError
from stamp.ripple.foreign import GIT_MARK, followed

__all__ = ["COMMIT", "LINK", "SUBMODULE", "Repository", "is_around", "left_out", "said"]

COMMIT: Final = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
"""The whole name of a commit, or of another object: only by that a remote can be asked for it."""

LINK: Final = b"120000"
SUBMODULE: Final = b"160000"
"""The modes of a symbolic link and of a submodule in a tree or the index of git."""

SETTINGS: Final[Mapping[str, str]] = {
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.sshCommand": "false",
    "core.askPass": "false",
    "credential.helper": "",
    "protocol.allow": "never",
    "core.useReplaceRefs": "false",
    "advice.graftFileDeprecated": "false",
}
"""What holds against the settings of the repository, and those that it includes (git-config(1))."""

ENVIRONMENT: Final[Mapping[str, str]] = {
    "GIT_ALLOW_PROTOCOL": "none",  # also against `protocol.ext.allow`; to a git before 2.39.4 it says that nothing is fetched
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
"""What holds against the environment (git(1))."""

OF_HOOKS: Final = frozenset({"GIT_INDEX_FILE", "GIT_PREFIX"})
"""What git tells hooks, and is none of our business: the index of a commit that is being made."""


class Repository(NamedTuple):
    """The repository and work tree that the current folder is in: its top, and whether it lacks old commits or may lack files of its commits."""

    top: Path
    is_shallow: bool
    may_be_sparse: bool
    environment: Mapping[str, str]

    @classmethod
    def here(cls) -> Repository:
        """Return that of the current folder.

        Raises:
            InputError: there is none, or no git, or it is not certain which one is meant.
        """
        environment = _environment()
        done = _run(environment, *WHERE)
        if done.returncode:
            raise InputError(f"expected a folder in a git repository: {_refused(done)}")
        shallow, sparse, home, top = os.fsdecode(done.stdout).removesuffix("\n").split("\n", 3)
        if "GIT_DIR" not in environment and Path.cwd().resolve().is_relative_to(Path(home).resolve()):
            raise InputError(f"expected a folder in a git repository: {BARE}")
        return cls(Path(top).resolve(), shallow == "true", Path(sparse).exists(), environment)

    def run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git on this repository; its paths are seen from the current folder.

        Raises:
            InputError: there is no git.
        """
        return _run(self.environment, *arguments, given=given)

    def name(self, folder: Path) -> str:
        """Return what a folder, be it there or not, is called from the top: `schemas`, and the top itself is empty.

        Raises:
            InputError: it is not in this repository, or in one within it, or a symbolic link leads to it: a revision knows none of these.
        """
        place = followed(folder, self.top)
        if not place.is_relative_to(self.top):
            raise InputError(
                f"expected contracts in the repository of the current folder, {self.top}, got others: run the command in theirs, or give a "
                "folder or a .tar file",
                file=folder,
            )
        name = place.relative_to(self.top)
        for inner in reversed([name, *name.parents][:-1]):
            if os.path.lexists(self.top / inner / GIT_MARK):
                kind = "a submodule" if self._is_submodule(self.top / inner) else "another repository or work tree"
                raise InputError(
                    f"expected contracts of the repository of the current folder, got {inner.as_posix()}, which is "
                    f"{kind}: run the command in there, or give a folder or a .tar file",
                    file=folder,
                )
        return "" if name == Path() else name.as_posix()

    def left_out(self, folder: Path) -> str | None:
        """Return the command that brings files of a folder here which git knows and has not checked out; None if there are none.

        Raises:
            InputError: see `name`.
        """
        name = self.name(folder)
        if any(entry.startswith(b"S ") for entry in self._listed(folder, "-t")):
            return f"git sparse-checkout add {name or '.'}"
        there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
        if not any(there.iterdir()) and self._is_submodule(there):
            return f"git submodule update --init {self.name(there)}"
        return None

    def _is_submodule(self, folder: Path) -> bool:
        return self._listed(folder)[0].startswith(SUBMODULE)

    def _listed(self, folder: Path, *options: str) -> list[bytes]:
        return self.run("ls-files", "--stage", *options, "-z", "--", str(folder.absolute())).stdout.split(b"\0")

    @property
    def promisors(self) -> list[str]:
        """The remotes that a partial clone leaves objects to."""
        found = self.run("config", "--get-regexp", r"^remote\..*\.promisor$").stdout.decode(errors="replace")
        return [line.partition(" ")[0].split(".", 1)[1].rpartition(".")[0] for line in found.splitlines()]


def is_around() -> bool:
    """Tell whether the current folder seems to be in a repository, be it one that git takes or not."""
    here = Path.cwd()
    return "GIT_DIR" in os.environ or any(os.path.lexists(folder / GIT_MARK) for folder in (here, *here.parents))


def left_out(folder: Path) -> str | None:
    """Return the command that brings the files of a folder here, as `Repository.left_out` does; None also where there is no repository."""
    try:
        return Repository.here().left_out(folder)
    except InputError:
        return None


WHERE: Final = (
    *("rev-parse", "--is-shallow-repository", "--git-path", "info/sparse-checkout"),
    *("--absolute-git-dir", "--show-toplevel"),
)

BARE: Final = "the current folder is within a bare one, or what looks like one. Run the command at the top of the work tree, or give a folder or a .tar file"


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return why git has failed, on a line."""
    text = " ".join(done.stderr.decode(errors="replace").split())
    return text.removeprefix("fatal: ") or "git does not say why"


def _refused(done: subprocess.CompletedProcess[bytes]) -> str:
    text = said(done)
    if text.startswith("not a git repository"):
        return f"{text}. Run the command in that of the contracts, or give a folder or a .tar file"
    return BARE if "safe.bareRepository" in text or "must be run in a work tree" in text else text


def _run(environment: Mapping[str, str], *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    settings = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
    command = ("git", "--no-pager", *settings, *arguments)
    try:
        return subprocess.run(command, input=given, capture_output=True, check=False, env=environment)  # noqa: S603 - no shell, no option from outside
    except OSError as error:
        raise InputError(
            f"expected git, to read a revision: {error.strerror}; or give a folder or a .tar file"
        ) from error


def _environment() -> dict[str, str]:
    """Return the environment that git runs in.

    In hooks of a second work tree git sets GIT_DIR alone, and would take any current folder for the top. So that is left out where the
    current folder is in that very work tree.

    Raises:
        InputError: GIT_DIR is of another repository, and nothing says where the top is.
    """
    found = {name: value for name, value in os.environ.items() if name not in OF_HOOKS}
    found.update(ENVIRONMENT)
    named = found.get("GIT_DIR")
    if named is None or "GIT_WORK_TREE" in found:
        return found
    without = {name: value for name, value in found.items() if name != "GIT_DIR"}
    discovered = _run(without, "rev-parse", "--absolute-git-dir")
    if discovered.returncode or Path(os.fsdecode(discovered.stdout)[:-1]).resolve() != Path(named).resolve():
        raise InputError(
            f"expected the repository of the current folder, got GIT_DIR={named}, which is another one: unset GIT_DIR, or set GIT_WORK_TREE, too"
        )
    return without

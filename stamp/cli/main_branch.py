"""The branch that a change is compared with when nobody says."""

from __future__ import annotations

from pathlib import Path

from stamp.errors import InputError
from stamp.ripple.revision import default_branch

__all__ = ["main_branch"]


def main_branch(folder: Path) -> str:
    """Return the main branch, by its short name unless that is also the name of a file here.

    Raises:
        InputError: there is none, or no repository; with what to say instead.
    """
    advice = "say with --against what runs now: a branch, tag or commit, a folder, or a .tar file"
    try:
        found = default_branch(folder)
    except InputError as error:
        raise InputError(f"{error.message}: {advice}", file=error.file) from error
    if found is None:
        raise InputError(f"expected a branch origin/main, origin/master, main or master, got none: {advice}")
    short = found.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    return found if Path(short).exists() else short

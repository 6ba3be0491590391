"""What files are called in a report that is read elsewhere: by their names in the repository."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Final, NamedTuple

from stamp.ripple.foreign import GIT_MARK

__all__ = ["HERE", "Checkout", "checkout"]


class Checkout(NamedTuple):
    """Where commands run: the current folder, and the top of the repository that it is in."""

    here: Path = Path()
    top: Path = Path()

    @property
    def is_repository(self) -> bool:
        """Whether the top is that of a repository."""
        return (self.top / GIT_MARK).exists()

    def name(self, file: str | Path) -> str | None:
        """Return what a file is called in the repository, with slashes; None if it is not in there. Nothing is looked up."""
        path = Path(os.path.normpath(self.here / file))
        top = Path(os.path.normpath(self.top))
        inside = path.is_relative_to(top) and path.parts[:1] != ("..",)
        return path.relative_to(top).as_posix() if inside else None


HERE: Final = Checkout()
"""No repository: files are called as they are from here."""


def checkout(here: Path) -> Checkout:
    """Return where a command runs; outside of a repository the current folder is the top."""
    home = here.absolute()
    return Checkout(home, next((place for place in (home, *home.parents) if (place / GIT_MARK).exists()), home))

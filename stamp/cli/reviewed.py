"""What the settings were in the revisions that contracts are compared with: what of them was there before the change, and has been agreed to."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from stamp.cli.accepted import accepted_before
from stamp.cli.workspace import names_revision
from stamp.errors import InputError
from stamp.ripple import Acceptance
from stamp.ripple.foreign import is_contract_file
from stamp.ripple.repository import Repository
from stamp.ripple.revision import read_files, read_revision, where
from stamp.workflow.settings import contracts_folder, folder_of, places, settings

__all__ = ["reviewed", "reviewed_folder"]


def reviewed(against: Iterable[str]) -> Collection[Acceptance] | None:
    """Return the entries that accept findings in any revision that is compared with; None if there is none that has settings.

    Other baselines have none, and no revision has those that are outside of the repository.

    Raises:
        InputError: a revision is not here.
    """
    found = list(_settings(against))
    return [entry for _, texts in found for entry in accepted_before(texts)] if found else None


def reviewed_folder(against: Iterable[str]) -> Path:
    """Return the contracts folder of the settings, unless they name another one since a revision that is compared with: its contracts would not be checked.

    Raises:
        InputError: they do; or there is no such revision, or the settings cannot be read.
    """
    folder = contracts_folder()
    if not os.environ.get("STAMP_SCHEMAS"):
        for given, texts in _settings(against):
            before = _folder(texts)
            if before != folder and read_revision(given, before, is_wanted=is_contract_file).files:
                raise InputError(
                    f"expected the contracts of {before}, the folder of the settings in {given}, got settings that name {folder}: say which "
                    "folder is meant, before --against"
                )
    return folder


def _folder(texts: Mapping[Path, bytes]) -> Path:
    with suppress(InputError):
        return folder_of(settings(texts))
    return Path("schemas")


def _settings(against: Iterable[str]) -> Iterator[tuple[str, Mapping[Path, bytes]]]:
    """Yield each revision with the files of its settings, by their names from here."""
    revisions = [given for given in against if given and names_revision(given)]
    if not revisions:
        return
    repository = Repository.here()
    named = {name: file for file in places() if (name := _name(repository, file)) is not None}
    if not named:
        return  # the settings are outside of the repository, and so no part of any change
    for given in revisions:
        found = read_files(repository, where(repository, given).commit, named)
        yield given, {named[name]: text for name, text in found.items()}


def _name(repository: Repository, file: Path) -> str | None:
    """Return what a file is called from the top; None where a revision cannot have it."""
    try:
        folder = repository.name(file.parent)
    except InputError:
        return None
    return f"{folder}/{file.name}" if folder else file.name

"""Released schemas in a folder of contracts: each version of what a step writes is one file that never changes.

<workflow>/<step>/<Name>.v<N>.avsc
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

from stamp.errors import ContractError, SchemaError
from stamp.schema.jsonfile import JsonFile
from stamp.schema.limits import MAX_VERSION
from stamp.schema.names import unqualified

__all__ = ["RESERVED", "VERSION", "Origin", "Release", "read_release", "releases", "step_folders"]


@dataclass(frozen=True, slots=True)
class Origin:
    """One place in the contracts that a schema comes from: version `version` of the record `name` that `step` writes."""

    workflow: str
    step: str
    name: str
    version: int
    file: Path | None = None


class Release(NamedTuple):
    """A schema file of a contracts folder, not yet read."""

    file: Path
    origin: Origin


RESERVED: Final = "stamp"
"""The folder of the wire format's own schemas; no workflow has this name."""

VERSION: Final = rf"[1-9][0-9]{{0,{len(str(MAX_VERSION)) - 1}}}"
"""The pattern of the number of a version."""

_FILE: Final = re.compile(rf"(?P<name>[A-Za-z_][A-Za-z0-9_]*)\.v(?P<version>{VERSION})\.avsc")


def step_folders(folder: str | PathLike[str], *, workflow: str | None = None) -> list[Path]:
    """Return every `<workflow>/<step>` of a contracts folder, sorted; with `workflow` only that one's.

    Raises:
        ContractError: there is no such contracts folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ContractError("expected a contracts folder, got none", file=folder)
    steps = folder.glob(f"{workflow or '[!.]*'}/[!.]*")
    return sorted(step for step in steps if step.is_dir() and step.parent.name != RESERVED)


def releases(files: Iterable[Path]) -> list[Release]:
    """Return what the schema files right in the folder of a step release, sorted by name and number.

    Raises:
        ContractError: one of them has a name that is no version.
    """
    return sorted(map(_release, files), key=lambda release: (release.origin.name, release.origin.version))


def _release(file: Path) -> Release:
    match = _FILE.fullmatch(file.name)
    if match is None:
        raise ContractError(
            f"expected a schema file called <Name>.v<N>.avsc, such as Validation.v1.avsc, with a number of at most {MAX_VERSION}",
            file=file,
        )
    step, workflow = file.parent, file.parent.parent
    return Release(file, Origin(workflow.name, step.name, match["name"], int(match["version"]), file))


def read_release(release: Release, file: JsonFile | None = None) -> dict[str, Any]:
    """Return the schema in a release's file: an acceptable one of a record with the name that the file has.

    Args:
        release: what is to be read.
        file: the content, by default what is on disk.

    Raises:
        SchemaError: it is not.
        ContractError: the file cannot be read.
    """
    schema, name = (file or JsonFile(release.file)).schema, release.origin.name
    if not isinstance(schema, dict) or schema["type"] != "record" or unqualified(schema["name"]) != name:
        raise SchemaError(f"expected the schema of a record called {name}, as the file is", file=release.file)
    return schema

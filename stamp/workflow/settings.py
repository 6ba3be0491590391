"""Where a project keeps its contracts."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from stamp.errors import InputError

__all__ = ["contracts_folder"]


def contracts_folder() -> Path:
    """Return the folder of contracts: `STAMP_SCHEMAS`, else `schemas` of `[tool.stamp]` in `./pyproject.toml`, else `./schemas`.

    Raises:
        InputError: the project file cannot be read, or names something that is no path.
    """
    if from_environment := os.environ.get("STAMP_SCHEMAS"):
        return Path(from_environment)
    project = Path("pyproject.toml")
    if not project.is_file():
        return Path("schemas")
    try:
        tool = tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"expected a TOML file, got one that is not: {error}", file=project) from error
    folder = tool.get("stamp", {}).get("schemas", "schemas")
    if not isinstance(folder, str):
        raise InputError(f"expected a path, got {folder!r}", file=project, path="tool.stamp.schemas")
    return Path(folder)

"""Where a project keeps its contracts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

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
    settings: Any = _content(project) if project.is_file() else {}
    for key in ("tool", "stamp"):
        settings = settings.get(key, {})
        if not isinstance(settings, dict):
            raise InputError(f"expected a table, got {settings!r}", file=project, path=key)
    folder = settings.get("schemas", "schemas")
    if not isinstance(folder, str) or not folder:
        raise InputError(
            f"expected the path of the contracts folder, got {folder!r}", file=project, path="tool.stamp.schemas"
        )
    return Path(folder)


def _content(project: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - takes 4 ms, and only a folder with a project file needs it

    try:
        return tomllib.loads(project.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"expected a file that can be read: {error.strerror}", file=project) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"expected a TOML file, got one that is not: {error}", file=project) from error

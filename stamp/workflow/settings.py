"""What a project says about itself: `[tool.stamp]` of `pyproject.toml`, and `stamp.toml`, which says the same without a prefix."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stamp.errors import InputError
from stamp.schema.limits import MAX_DIGITS

__all__ = ["Settings", "contracts_folder", "folder_of", "places", "settings", "shown"]

_FILES: Final[Mapping[str, tuple[str, ...]]] = {"stamp.toml": (), "pyproject.toml": ("tool", "stamp")}
"""Where settings are, and under which keys there. What the first file says goes before what the second one does."""

_KEYS: Final = (
    "schemas",
    "accept",
    "broker",
    "store",
    "concurrency",
    "prefetch",
    "prefetch_bytes",
    "attempts",
    "lease",
    "schema_patience",
    "patience",
    "expose_errors",
)


LONGEST: Final = 100
"""Letters of a value, or of a parser's words, that an error repeats."""
LARGEST: Final = 2**20
"""Bytes of a settings file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one file says: its `table`, which is below `prefix`, and its `text`."""

    file: Path
    prefix: tuple[str, ...]
    table: Mapping[str, Any]
    text: str

    def path(self, key: str) -> str:
        """Return what a key is called in messages: `tool.stamp.schemas`."""
        return ".".join((*self.prefix, key))

    def lines(self, key: str, number: int) -> Sequence[int | None]:
        """Return the line of each of the `number` tables `[[key]]`.

        tomllib tells no lines, so these are those of the headers, where there are as many as tables; else nobody knows.
        """
        name = r"\s*\.\s*".join(map(re.escape, (*self.prefix, key)))
        header = re.compile(rf"\s*\[\[\s*{name}\s*\]\]\s*(#.*)?")
        found = [at for at, line in enumerate(self.text.split("\n"), start=1) if header.fullmatch(line)]
        return found if len(found) == number else [None] * number


def settings(texts: Mapping[Path, bytes] | None = None) -> tuple[Settings, ...]:
    """Return the settings of the nearest folder that has some, from here up to the top of the git repository; without one, of here.

    Those first that go before others; none if no folder has any. With `texts`, those of `places()` that a commit has, it is as it was there.

    Raises:
        InputError: a file cannot be read, or has something else where the settings should be, or a key that is none.
    """
    read = _on_disk if texts is None else texts.get
    found = (_of(folder, read) for folder in _upward())
    return next(filter(None, found), ())


def places() -> Sequence[Path]:
    """Return every file in which settings may be, as it is called from here."""
    return [folder / name for folder in _upward() for name in _FILES]


def _upward() -> Sequence[Path]:
    """Return folders as they are called from here: `.`, `..`, `../..`."""
    here = Path.cwd()
    for height, folder in enumerate((here, *here.parents)):
        if (folder / ".git").exists():  # a folder; a file in a submodule, or in a second work tree
            return [Path(*[".."] * each) for each in range(height + 1)]
    return [Path()]


def _of(folder: Path, read: Callable[[Path], bytes | None]) -> tuple[Settings, ...]:
    there = ((folder / name, prefix) for name, prefix in _FILES.items())
    return tuple(
        filter(None, (_read(file, prefix, text) for file, prefix in there if (text := read(file)) is not None))
    )


def contracts_folder() -> Path:
    """Return the folder of contracts: `STAMP_SCHEMAS`, else that of the settings.

    Raises:
        InputError: the settings cannot be read, or name something that is no path.
    """
    return Path(os.environ.get("STAMP_SCHEMAS") or folder_of(settings()))


def folder_of(found: Iterable[Settings]) -> Path:
    """Return the folder of contracts that settings name, seen from their file, else `./schemas`.

    Raises:
        InputError: it is no path.
    """
    for each in found:
        if "schemas" in each.table:
            folder = each.table["schemas"]
            if not isinstance(folder, str) or not folder or "\0" in folder:
                text = f"expected the path of the contracts folder, got {shown(folder)}"
                raise InputError(text, file=each.file, path=each.path("schemas"))
            return each.file.parent / folder
    return Path("schemas")


def _read(file: Path, prefix: tuple[str, ...], data: bytes) -> Settings | None:
    text = _text(file, data)
    table: Any = _content(file, text)
    for key in prefix:
        if key not in table:
            return None
        table = table[key]
        if not isinstance(table, dict):
            raise InputError(f"expected a table, got {shown(table)}", file=file, path=key)
    found = Settings(file, prefix, table, text)
    for key in found.table:
        if key not in _KEYS:
            raise InputError(f"expected one of {', '.join(_KEYS)}, got {shown(key)}{_hint(key, found)}", file=file)
    return found


def shown(value: object) -> str:
    """Return a value of the settings as messages show it: in a few letters."""
    try:
        text = repr(value)
    except (
        ValueError,
        RecursionError,
    ):  # Python writes no number of so many digits, and nothing that is nested so deeply
        return f"something too large to show, {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _hint(key: str, found: Settings) -> str:
    if key == "tool" and not found.prefix:
        return f": {found.file.name} has no [tool.stamp], its keys stand at the top"
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    near = get_close_matches(key, _KEYS, n=1, cutoff=0.5)
    return f": did you mean {found.path(near[0])}?" if near else ""


def _on_disk(file: Path) -> bytes | None:
    """Return what is in a file, None if it is not there. A link out of the project would show what is none of its settings."""
    if not file.is_file():
        return None
    if file.is_symlink() and not file.resolve().is_relative_to(_upward()[-1].resolve()):
        raise InputError(
            "expected settings of this project, got a symbolic link out of it: put the file itself here", file=file
        )
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"expected a file that can be read: {error.strerror}", file=file) from error


def _text(file: Path, data: bytes) -> str:
    if len(data) > LARGEST:
        raise InputError(f"expected a TOML file of at most {LARGEST:,} bytes, got a larger one", file=file)
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"expected a TOML file, got one that is not: {error}", file=file) from error


def _content(file: Path, text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - takes 4 ms, and only a folder with such a file needs it

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError("expected a TOML file, got one that is nested too deeply", file=file) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"expected a TOML file, got one that is not: {str(error)[:LONGEST]}", file=file) from error
    except ValueError as error:  # from Python, which converts no number of so many digits
        raise InputError(f"expected numbers of at most {MAX_DIGITS} digits, got a longer one", file=file) from error

"""Files that are there in whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import IO, Self

from stamp.errors import InputError

__all__ = ["WholeFile"]


class WholeFile:
    """A file that gets its name when it is complete; a context manager. If something fails before, all is as it was.

    Nothing is created before `stream` is first asked for. What is no regular file, such as a pipe, is written to directly.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        target = path.resolve()  # the file that a link leads to is replaced, not the link
        is_file = target.is_file() or not target.exists()
        self._target = target
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(4)}") if is_file else None
        self._stream: IO[bytes] | None = None

    @property
    def stream(self) -> IO[bytes]:
        """Where to write.

        Raises:
            InputError: nothing can be written there.
        """
        if self._stream is None:
            try:
                self._stream = self._target.open("wb") if self._part is None else self._part.open("xb")
            except OSError as error:
                raise InputError(f"expected a file that can be written: {error.strerror}", file=self.path) from error
        return self._stream

    @property
    def is_begun(self) -> bool:
        """Whether anything is to be written."""
        return self._stream is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if self._stream is None:
            return
        try:
            with self._stream:
                self._stream.flush()
                if self._part is not None and failed is None:
                    os.fsync(self._stream.fileno())
            if self._part is not None and failed is None:
                self._part.replace(self._target)
        finally:
            if self._part is not None:
                self._part.unlink(missing_ok=True)

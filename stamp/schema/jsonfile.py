"""A file of a contracts folder: its text, what that says, and whether it is a schema; each found out once."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import Any

from stamp.errors import ContractError
from stamp.schema.document import parse
from stamp.schema.identity import SchemaId, canonical, content
from stamp.schema.limits import MAX_FILE
from stamp.schema.lint import lint

__all__ = ["JsonFile"]


class JsonFile:
    """One JSON file, on disk or, when its `text` is given, wherever `path` says for people.

    Nobody changes what it returns, so states of a folder that have the same file can share one.
    """

    def __init__(self, path: Path, text: bytes | None = None) -> None:
        self.path = path
        if text is not None:
            self.text = _bounded(text, path)

    def __repr__(self) -> str:
        return f"<{self.path}>"

    @cached_property
    def text(self) -> bytes:
        """The content as it is.

        Raises:
            ContractError: the file cannot be read, is no plain one, such as a pipe, or has more than MAX_FILE bytes.
        """
        try:
            if not S_ISREG(self.path.stat().st_mode):  # to open a pipe would wait for whoever writes to it
                raise ContractError(
                    "expected a file that can be read, got a folder, pipe or device: put the contract itself here",
                    file=self.path,
                )
            with self.path.open("rb") as file:
                text = file.read(MAX_FILE + 1)
        except OSError as error:
            raise ContractError(f"expected a file that can be read: {error.strerror}", file=self.path) from error
        return _bounded(text, self.path)

    @cached_property
    def value(self) -> Any:
        """What it says.

        Raises:
            SchemaError: it is not JSON.
        """
        return parse(self.text, file=self.path)

    @cached_property
    def schema(self) -> Any:
        """What it says, as a schema that `lint` accepts.

        Raises:
            SchemaError: it is none.
        """
        lint(self.value, file=self.path)
        return self.value

    @cached_property
    def id(self) -> SchemaId:
        """The identity of the schema."""
        return SchemaId.of(self.schema)

    @property
    def is_constrained(self) -> bool:
        """Whether the schema says of a field what its model enforces beyond Avro."""
        return b'"stamp"' in self.text and canonical(self.schema) != self.content

    @cached_property
    def content(self) -> bytes:
        """What the schema says to machines, constraints included, in one form however it is written."""
        return content(self.schema)


def _bounded(text: bytes, path: Path) -> bytes:
    if len(text) > MAX_FILE:
        raise ContractError(f"expected a file of at most {MAX_FILE} bytes, got more", file=path)
    return text

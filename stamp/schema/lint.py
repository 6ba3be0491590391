"""Whether a schema may be used at all.

Avro libraries accept much that cannot work: names that are none, duplicate fields, defaults of another type, arrays whose items
take no bytes. Decoders, canonical forms and compatibility checks here rely on schemas that passed this door, once, when they came in.

It looks in four rounds, each only at what passed the one before: is it plain JSON within bounds, is each part right by itself
(`shape`), do the parts together stay within bounds (`extent`), do the defaults fit (`literal`).
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from stamp.errors import SchemaError
from stamp.schema.document import irregularities, parse
from stamp.schema.extent import excesses
from stamp.schema.literal import misfits
from stamp.schema.shape import misshapes
from stamp.schema.types import load

__all__ = ["lint", "parse", "problems"]


def lint(schema: Any, *, file: str | PathLike[str] | None = None, recursion: bool = False) -> None:
    """Accept a schema in its JSON form, or raise its first problem.

    Args:
        schema: any value; nothing about it is taken for granted.
        file: where it comes from, for the error.
        recursion: accept types that contain themselves, as long as their data can end.

    Raises:
        SchemaError: with the path in the schema, such as `Validation.items[].price`.
    """
    if found := problems(schema, recursion=recursion):
        raise SchemaError(found[0].message, path=found[0].path, file=file)


def problems(schema: Any, *, recursion: bool = False) -> Sequence[SchemaError]:
    """Return all problems of a schema that can be told at once, in the order of its text; none for a good one."""
    found = list(irregularities(schema)) or list(misshapes(schema))
    if found:
        return found
    root = load(schema)
    return list(excesses(root, recursion=recursion)) or list(misfits(root))

"""Whether a reader schema reads whatever a writer schema writes, and with the same meaning."""

from __future__ import annotations

from collections.abc import Sequence

from stamp.compat.finding import Finding
from stamp.compat.findings import Findings
from stamp.compat.quiet import is_quiet
from stamp.compat.source import Schema, read_source
from stamp.compat.walk import walk
from stamp.schema.resolve import Readability

__all__ = ["check"]


def check(reader: Schema, writer: Schema, *, as_view: bool = False, fragments: bool = True) -> Sequence[Finding]:
    """Return what speaks against reading data of `writer` as `reader`; nothing when they are read whole and mean the same.

    There is an error exactly when some datum of the writer has no reading, or a wrong one (Avro 1.12, "Schema Resolution", with
    logical types taken as parts of the types). Warnings and infos are about pairs of types that are read. Whether there is an error is
    known at once; what it is, is found out when the findings are looked at.

    Args:
        reader: a schema in its JSON form, as JSON text, the path of a file, or a `Source`.
        writer: the same.
        as_view: the names of the outermost types need not match: a view is bound to what it reads by the step's name.
        fragments: say of each finding what is written at its place; to leave that out is quicker.

    Raises:
        SchemaError: one of them is no schema.
    """
    read, written = read_source(reader), read_source(writer)
    if as_view:
        read = read.seen_as(written.root.name)
    readability = Readability()
    if not readability.is_readable(written.root, read.root):
        return Findings(lambda: walk(read, written, readability, fragments=fragments))
    if all(is_quiet(*pair) for pair in readability.reached()):
        return ()
    return walk(read, written, readability, fragments=fragments)

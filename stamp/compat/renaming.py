"""Under which other names a writer may have a field that it lacks by the reader's name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from stamp.compat.source import Source
from stamp.schema.names import unqualified

__all__ = ["former_names", "namesakes"]

Schema = Mapping[str, Any]


def former_names(field: Schema, record: Schema, written: Schema, others: Sequence[Source] = ()) -> list[str]:
    """Return what the writer may call a field that it lacks: a name like it, then the only unread field of the very same type.

    `others` are other versions of what the writer writes: a field that one of them has beside the reader's is not that one renamed.
    """
    unread = _unread(field, record, written, others)
    same = _same(field, unread)
    return list(
        dict.fromkeys([*get_close_matches(field["name"], unread, n=1), *(same if len(same) == 1 else ())]),
    )


def namesakes(field: Schema, record: Schema, written: Schema, others: Sequence[Source] = ()) -> list[str]:
    """Return all unread fields of the very same type: any of them may be the field that the writer lacks, renamed."""
    return _same(field, _unread(field, record, written, others))


def _unread(field: Schema, record: Schema, written: Schema, others: Sequence[Source]) -> dict[str, Any]:
    read = {name for each in record["fields"] for name in _names(each)}
    return {
        each["name"]: each["type"]
        for each in written["fields"]
        if each["name"] not in read and not _is_beside(_names(field), each["name"], written["name"], others)
    }


def _names(field: Schema) -> tuple[str, ...]:
    return field["name"], *field.get("aliases", ())


def _is_beside(names: Collection[str], name: str, record: str, others: Sequence[Source]) -> bool:
    """Tell whether a version of a record has a field of these names beside `name`: that is none of them renamed."""
    same = (each for other in others for each in other.content.places if _is_called(each.name, record))
    return any(name in each.by_name and not each.by_name.keys().isdisjoint(names) for each in same)


def _is_called(name: str, record: str) -> bool:
    return bool(name) and unqualified(name) == unqualified(record)


def _same(field: Schema, unread: Mapping[str, Any]) -> list[str]:
    return [name for name, type_ in unread.items() if _plain(type_) == _plain(field["type"])]


def _plain(value: Any) -> Any:
    """Return the JSON of a type without what is only for people."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key != "doc"}
    return [_plain(each) for each in value] if isinstance(value, list) else value

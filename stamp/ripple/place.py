"""Where something is said in a file of a contract."""

from __future__ import annotations

import json

from stamp.compat import Fragment
from stamp.compat.position import positions, step
from stamp.schema.jsonfile import JsonFile

__all__ = ["place"]


def place(file: JsonFile, *keys: str | int) -> Fragment:
    """Return what stands in a file below `keys`, or at the last of them that exists."""
    value, pointer = file.value, ""
    for key in keys:
        if isinstance(value, dict) and key not in value:
            break
        value, pointer = value[key], pointer + step(key)
    at = positions(file.text.decode("utf-8-sig"))[pointer]
    return Fragment(json.dumps(value, ensure_ascii=False), pointer, str(file.path), at.line, at.column)

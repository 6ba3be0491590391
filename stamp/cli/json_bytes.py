"""Bytes in JSON: hexadecimal digits, as `stamp decode` prints them. So what came out can go in again, whatever the bytes are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol, cast

from pydantic import BaseModel
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator
from pydantic_core.core_schema import no_info_before_validator_function

__all__ = ["JsonValidator", "validator"]

DIGITS: Final = re.compile("(?:[0-9a-fA-F]{2})*")

OPAQUE: Final = {"cls", "config", "default", "default_factory", "expected", "function", "metadata", "serialization"}
"""Members of a core schema that hold no schemas of what is read."""


class JsonValidator(Protocol):
    """What makes an instance of a model of JSON."""

    def validate_json(self, text: str, /, *, extra: Any) -> Any:
        """Return the instance that the text stands for; a ValidationError says why there is none."""


def validator(model: type[BaseModel]) -> JsonValidator:
    """Return what reads JSON as `model` does, but for bytes: pydantic would take the text itself for them, which not all bytes can be."""
    model.model_rebuild()
    own = model.__pydantic_core_schema__
    read = _with_hex(own)
    if read == own:
        return model.__pydantic_validator__
    with _incomplete({each for each in _classes(own) if "__pydantic_complete__" in vars(each)}):
        return SchemaValidator(read)


@contextmanager
def _incomplete(classes: set[Any]) -> Iterator[None]:
    """Keep pydantic-core from taking the validators that classes have in place of what a schema says of them."""
    before = {each: each.__pydantic_complete__ for each in classes}
    for each in classes:
        each.__pydantic_complete__ = False
    try:
        yield
    finally:
        for each, was in before.items():
            each.__pydantic_complete__ = was


def _classes(schema: Any) -> Iterator[type]:
    if isinstance(schema, Mapping):
        if isinstance(schema.get("cls"), type):
            yield schema["cls"]
        for name, value in schema.items():
            if name not in OPAQUE:
                yield from _classes(value)
    elif isinstance(schema, list | tuple):
        for each in schema:
            yield from _classes(each)


def _with_hex(schema: Any) -> Any:
    match schema:
        case {"type": "bytes"}:
            inner = cast("CoreSchema", {name: value for name, value in schema.items() if name != "ref"})
            return no_info_before_validator_function(_bytes, inner, ref=schema.get("ref"))
        case Mapping():
            return {name: value if name in OPAQUE else _with_hex(value) for name, value in schema.items()}
        case list():
            return [_with_hex(each) for each in schema]
        case tuple():
            return tuple(_with_hex(each) for each in schema)
        case _:
            return schema


def _bytes(given: object) -> object:
    if not isinstance(given, str):
        return given
    if not DIGITS.fullmatch(given):
        raise PydanticCustomError(
            "hex_bytes", "expected bytes in hexadecimal digits, as `stamp decode --format json` prints them"
        )
    return bytes.fromhex(given)

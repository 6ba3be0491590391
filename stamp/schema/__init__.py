"""Schemas: from pydantic models, from folders, and between a writer and a reader."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stamp.schema.catalog import Catalog, Entry, Origin
from stamp.schema.decoder import decoder
from stamp.schema.decoding import Decoder
from stamp.schema.identity import SchemaId
from stamp.schema.lint import lint

if TYPE_CHECKING:
    from stamp.schema.model import Binding, avro_schema, bind

__all__ = [
    "Binding",
    "Catalog",
    "Decoder",
    "Entry",
    "Origin",
    "SchemaId",
    "avro_schema",
    "bind",
    "decoder",
    "lint",
]

_OF_MODELS = ("Binding", "avro_schema", "bind")


def __getattr__(name: str) -> Any:
    """Import what is about models when it is first asked for (PEP 562): checking schemas needs no pydantic, which takes 80 ms."""
    if name in _OF_MODELS:
        found = globals()[name] = getattr(import_module("stamp.schema.model"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

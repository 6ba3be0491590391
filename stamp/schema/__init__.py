"""Schemas: from pydantic models, from folders, and between a writer and a reader."""

from stamp.schema.catalog import Catalog, Entry, Origin
from stamp.schema.decoder import Decoder, decoder
from stamp.schema.identity import SchemaId
from stamp.schema.lint import lint
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

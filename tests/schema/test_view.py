"""A view keeps some of the decoders that it has compiled, and reads with any number of schemas."""

from __future__ import annotations

from pydantic import BaseModel

from stamp.schema.catalog import Catalog
from stamp.schema.identity import SchemaId
from stamp.schema.limits import MAX_DECODERS
from stamp.schema.view import View


class Paid(BaseModel):
    cents: int


def written(number: int) -> dict[str, object]:
    more = {"name": f"more_{number}", "type": "long"}
    return {"type": "record", "name": "Paid", "fields": [more, {"name": "cents", "type": "long"}]}


def test_a_view_reads_with_more_schemas_than_it_keeps_decoders_for():
    view, catalog = View(Paid), Catalog()
    schemas = [written(number) for number in range(MAX_DECODERS + 3)]
    for schema in schemas:
        catalog = catalog.with_schema(schema)

    for _ in range(2):
        for number, schema in enumerate(schemas):
            payload = bytes((0, 2 * (number % 60)))
            assert view.read(SchemaId.of(schema), payload, catalog) == Paid(cents=number % 60)

    assert len(view._decoders) == MAX_DECODERS

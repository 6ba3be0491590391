"""The models in code through which steps read, and with which they write: what they make of data is what services do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from stamp.errors import ResolutionError, StampError
from stamp.ripple.reading import Attempt, Reading, Refusal
from stamp.schema.catalog import Catalog
from stamp.schema.identity import SchemaId, content
from stamp.schema.view import View, view_of
from stamp.workflow.workflow import Workflow

__all__ = ["readings"]


def readings(workflow: Workflow) -> Iterator[Reading]:
    """Yield a reading for each view of the steps that are defined in code."""
    steps = workflow.steps.values()
    writers = {
        (step.name, content(emission.binding.schema)): view_of(emission.model)
        for step in steps
        for emission in step.emissions.values()
    }
    for step in steps:
        for read in step.reads:
            if not read.is_failure:
                yield _OfView(workflow.name, step.name, read.step, read.view, writers)


@dataclass(frozen=True)
class _OfView:
    workflow: str
    reader: str
    producer: str
    view: View[BaseModel]
    writers: Mapping[tuple[str, bytes], View[BaseModel]]

    def attempt(self, schema: Any) -> Attempt:
        catalog, schema_id = Catalog().with_schema(schema), SchemaId.of(schema)
        written = self.writers.get((self.producer, content(schema)))

        def refuse(data: bytes) -> Refusal | None:
            if written is not None and _refusal(written, schema_id, data, catalog) is not None:
                return None
            return _refusal(self.view, schema_id, data, catalog)

        return Attempt(refuse, is_written=written is not None)


def _refusal(view: View[BaseModel], schema_id: SchemaId, data: bytes, catalog: Catalog) -> Refusal | None:
    try:
        view.read(schema_id, data, catalog)
    except ResolutionError as error:
        return Refusal((error.path or "").removeprefix("."), error.message)
    except StampError:  # no datum for this view, which is not the model's doing
        return None
    except Exception as error:  # noqa: BLE001 - validators of a model raise what they like
        return Refusal("", f"the view {view.model.__name__} fails: {type(error).__name__}: {error}")
    return None

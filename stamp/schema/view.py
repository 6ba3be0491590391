"""A view: the model through which one step reads what another step wrote."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from stamp.errors import DecodeError, ResolutionError
from stamp.schema.catalog import Catalog
from stamp.schema.decoder import decoder
from stamp.schema.decoding import Decoder
from stamp.schema.limits import MAX_DECODERS
from stamp.schema.model import bind
from stamp.schema.refused import refused

__all__ = ["View", "view_of"]

M = TypeVar("M", bound=BaseModel)


class View(Generic[M]):
    """A pydantic model as an Avro reader, with one compiled decoder for each writer schema, of the last `MAX_DECODERS` that it has met."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.schema: dict[str, Any] = bind(model).schema
        self._decoders: dict[bytes, Decoder] = {}
        self._lock = Lock()
        self._validate = model.__pydantic_validator__.validate_python

    def read(self, schema_id: bytes, payload: bytes, catalog: Catalog, *, workflow: str = "", step: str = "") -> M:
        """Return what `payload`, written by `step` with the schema `schema_id`, is in this view.

        Raises:
            UnknownSchemaError: `catalog` does not have the writer schema.
            ResolutionError: the view cannot read the writer schema, or the model refuses what came.
            DecodeError: the payload is not a datum of its schema.
        """
        try:
            if schema_id not in catalog or (decode := self._decoders.get(schema_id)) is None:
                decode = self._compile(schema_id, catalog, workflow, step)
            read: M = self._validate(decode(payload), strict=False, by_alias=True, by_name=True)
        except (DecodeError, ResolutionError) as error:
            raise error.within(step) from error.__cause__
        except ValidationError as error:
            path, text = refused(error)[0]
            problem = ResolutionError(f"the view {self.model.__name__} refuses it: {text}", path=path)
            raise problem.within(step) from error
        return read

    def _compile(self, schema_id: bytes, catalog: Catalog, workflow: str, step: str) -> Decoder:
        entry = catalog.lookup(schema_id, workflow=workflow, step=step)
        compiled = decoder(entry.schema, self.schema, as_root=True)
        with self._lock:
            if len(self._decoders) >= MAX_DECODERS:
                del self._decoders[next(iter(self._decoders))]
            self._decoders[bytes(schema_id)] = compiled
        return compiled


@lru_cache(maxsize=1024)
def view_of(model: type[M]) -> View[M]:
    """Return the view that `model` is; the same object for the same class, so that decoders are compiled once."""
    return View(model)

"""Pydantic models as Avro records: one walk over a model gives its schema and the writer of its instances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, RootModel

from stamp.errors import EncodeError, SchemaError
from stamp.schema import encoder
from stamp.schema.annotation import Mapper, reviver
from stamp.schema.constraint import ATTRIBUTE
from stamp.schema.conventions import keep_conventions
from stamp.schema.coreschema import is_exact
from stamp.schema.enforced import validated_fields, validates
from stamp.schema.field import WireField, wire_fields
from stamp.schema.form import Form, Node, Write
from stamp.schema.jsonform import json_form
from stamp.schema.lint import lint
from stamp.schema.names import is_namespace
from stamp.schema.naming import Names, options, reference
from stamp.schema.place import Place
from stamp.schema.refusals import check_model
from stamp.schema.roundtrip import RoundTrip
from stamp.schema.types import MISSING

__all__ = ["Binding", "Node", "avro_schema", "bind"]

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Binding(Generic[M]):
    """A model and its Avro record.

    `schema` is the schema to write and to read with; its nodes may be `Node`s, whose `decode` a decoder calls. `write` appends an
    instance to a bytearray, or raises EncodeError and leaves the bytearray as it was. `round_trip` reads back what was written, of a
    model that might give another value.
    """

    model: type[M]
    schema: Node
    write: Write
    round_trip: RoundTrip | None

    def encode(self, instance: M) -> bytes:
        """Return the Avro binary of an instance.

        Raises:
            EncodeError: a value does not fit its type, or would be read as another one; `path` leads to it from the model on, as in
                `Order.items[3].price`.
        """
        out = bytearray()
        self.write(instance, out)
        payload = bytes(out)
        if self.round_trip is not None:
            self.round_trip.check(instance, payload)
        return payload


def bind(model: type[M], *, name: str | None = None, namespace: str | None = None) -> Binding[M]:
    """Return the Avro record of a model and the writer of its instances.

    `name` and `namespace` go before what the model's `__avro__` and its class name say; `namespace` is that of all types in the
    schema that do not have their own.

    Raises:
        SchemaError: something in the model has no form in Avro, or passes a limit; `path` is the `Model.field` to change.
    """
    if not _is_record(model):
        raise SchemaError(f"expected a pydantic model with fields, got {model!r}")
    if not is_namespace(namespace or ""):
        raise SchemaError(f"expected a legal namespace, got {namespace!r}", path=model.__name__)
    walk = _Walk(Names(namespace or options(model).namespace or ""))
    form = walk.record(model, Place(model.__name__), name)
    assert form.defines is not None
    lint(form.defines, recursion=True)
    keep_conventions(form.defines)
    round_trip = None if is_exact(model) else RoundTrip(model, form.defines)
    return Binding(model, form.defines, _whole(form.write, model.__name__), round_trip)


def _is_record(model: object) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel) and not issubclass(model, RootModel)


def avro_schema(model: type[BaseModel], *, name: str | None = None, namespace: str | None = None) -> dict[str, Any]:
    """Return the Avro schema of a model, made of plain dicts, lists and JSON values.

    The same model always gives the same schema. What each annotation becomes is listed in `stamp.schema.annotation`.

    Raises:
        SchemaError: see `bind`.
    """
    schema: dict[str, Any] = _plain(bind(model, name=name, namespace=namespace).schema)
    return schema


def _plain(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    return schema


def _whole(write: Write, name: str) -> Write:
    """Return `write` with the model's name before the path of its errors, and nothing written when there is one."""

    def write_whole(value: Any, out: bytearray) -> None:
        start = len(out)
        try:
            write(value, out)
        except EncodeError as error:
            del out[start:]
            raise error.within(name) from None
        except RecursionError:
            del out[start:]
            raise EncodeError("expected a value that ends, got one nested too deep", path=name) from None

    return write_whole


class _Walk(Mapper):
    def record(self, model: type[BaseModel], place: Place, name: str | None = None) -> Form:
        if model in self.met:
            full = self.met[model]
            return Form(reference(full, place), self.writers[model], (model,), reviver(model), self.named[full])
        check_model(model)
        seen = {ATTRIBUTE: {"validator": model.__name__}} if validates(model) else {}
        node = Node({"type": "record", **self.define(model, place, name), **seen, "fields": []})
        fields: list[tuple[str, Write]] = []
        self.named[self.met[model]] = node
        self.writers[model] = encoder.record(model, fields)
        validated = validated_fields(model)
        for field in wire_fields(model, self.met[model]):
            form = self.form(field.info.annotation, field.info.metadata, field.place, field.default)
            if field.attribute in validated:
                form = replace(form, said={**form.said, "validator": field.place.path})
            node["fields"].append(self._field_node(field, form))
            fields.append((field.attribute, form.write))
        return Form(node, self.writers[model], (model,), reviver(model), node)

    def _field_node(self, field: WireField, form: Form) -> dict[str, Any]:
        node: dict[str, Any] = {"name": field.name, "type": form.schema}
        if field.default is not MISSING:
            node["default"] = self._default(field, form)
        if field.info.description:
            node["doc"] = field.info.description
        if field.aliases:
            node["aliases"] = [*field.aliases]
        if form.said:
            node[ATTRIBUTE] = form.said
        return node

    def _default(self, field: WireField, form: Form) -> Any:
        out = bytearray()
        try:
            form.write(field.default, out)
            return json_form(form.schema, bytes(out), self.named, field.place.namespace)
        except (EncodeError, SchemaError) as error:
            raise field.place.error(f"the default {field.default!r} does not fit: {error.message}") from error

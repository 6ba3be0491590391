"""What a field of a model is called on the wire, and what its default is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    PlainValidator,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stamp.schema.enforced import limits_of
from stamp.schema.names import is_name
from stamp.schema.place import Place
from stamp.schema.types import MISSING

__all__ = ["WireField", "wire_fields"]


class WireField(NamedTuple):
    """A field that is written: by what attribute, under which name, with which older names and which default or `MISSING`."""

    attribute: str
    name: str
    aliases: tuple[str, ...]
    default: Any
    info: FieldInfo
    place: Place


EMPTY: Final[Mapping[Any, Callable[[], Any]]] = {each: each for each in (list, dict, set, frozenset, tuple)}
"""The factories whose value is always the same. All others may give another one each time, and are no defaults."""


def wire_fields(model: type[BaseModel], record: str) -> list[WireField]:
    """Return the fields of a model, whose record has this full name, in their order.

    Raises:
        SchemaError: a field cannot be read back under the name that it is written with, or two share one.
    """
    values, limits = model.model_config.get("use_enum_values", False), limits_of(model.model_config)
    fields = [
        _wire_field(attribute, info, Place(f"{model.__name__}.{attribute}", record, values, limits=limits))
        for attribute, info in model.model_fields.items()
        if not info.exclude
    ]
    for attribute, info in model.model_fields.items():
        if info.exclude and info.is_required():
            raise Place(f"{model.__name__}.{attribute}").error(
                "expected a default for a field with exclude=True: it is not written, and could not be read back"
            )
    _check_names(fields)
    return fields


def _wire_field(attribute: str, info: FieldInfo, place: Place) -> WireField:
    if info.exclude_if is not None:
        raise place.error("expected no exclude_if: it is not asked when the value is written to Avro")
    name, aliases = _wire_names(attribute, info, place)
    if info.default_factory is not None:
        factory = EMPTY.get(info.default_factory)
        default = MISSING if factory is None else factory()
    else:
        default = MISSING if info.default is PydanticUndefined else info.default
    if default is not MISSING:
        _check_default(default, info, place)
    return WireField(attribute, name, aliases, default, info, place)


def _check_default(default: Any, info: FieldInfo, place: Place) -> None:
    """Refuse a default that the field itself refuses: pydantic does not look at it, but whoever reads it does."""
    is_plain = isinstance(info.annotation, type) and not info.metadata
    if is_plain or any(isinstance(each, CODE) for each in info.metadata):
        return
    try:
        annotation: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        TypeAdapter(annotation).validate_python(default)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False)[0]["msg"]
        raise place.error(
            f"expected a default that the field accepts when it is read, got {default!r}, which does not fit: {told}"
        ) from error
    except PydanticUserError:  # no type of a field at all: whoever looks at the type says so
        return


CODE: Final = (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)
"""What is asked only when data come."""


def _wire_names(attribute: str, info: FieldInfo, place: Place) -> tuple[str, tuple[str, ...]]:
    validation = info.validation_alias
    choices = validation.choices if isinstance(validation, AliasChoices) else [validation] if validation else []
    readable = [attribute, *(each for each in choices if isinstance(each, str))]
    if any(isinstance(each, AliasPath) for each in choices):
        raise place.error(
            "expected names in validation_alias, got an AliasPath: a field of Avro is not inside another one"
        )
    name = info.serialization_alias or (validation if isinstance(validation, str) else attribute)
    if not is_name(name):
        raise place.error(
            f"expected a field with a legal Avro name (ASCII letters, digits and _), got {name!r}: give it another alias"
        )
    if name not in readable:
        raise place.error(
            f"expected a field that can be read back, got one written as {name!r} and read as {' or '.join(readable)}: "
            f"add {name!r} to validation_alias"
        )
    aliases = tuple(each for each in choices if each != name) if isinstance(validation, AliasChoices) else ()
    for alias in aliases:
        if not is_name(alias):
            raise place.error(f"expected AliasChoices of legal Avro names, got {alias!r}")
    return name, tuple(map(str, aliases))


def _check_names(fields: list[WireField]) -> None:
    """Refuse names with two meanings: pydantic reads a field by its attribute's name and its alias, Avro by its name and aliases."""
    meanings: dict[str, WireField] = {}
    for field in fields:
        for name in (field.attribute, field.name, *field.aliases):
            other = meanings.setdefault(name, field)
            if other is not field:
                raise field.place.error(f"expected names of its own, got {name!r}, which {other.place.path} has too")

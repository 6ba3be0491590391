"""What a model may not contain, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from enum import Enum, Flag
from typing import Any, Final, NamedTuple, get_origin

import pydantic
from pydantic import BaseModel, RootModel, types

from stamp.errors import SchemaError
from stamp.schema.coreschema import computed_fields
from stamp.schema.place import Place

__all__ = ["check_metadata", "check_model", "check_written", "refusal"]


class Refusal(NamedTuple):
    """A kind of annotation that has no form on the wire, why, and what has one."""

    matches: Callable[[Any], bool]
    reason: str


def _is(*classes: Any) -> Callable[[Any], bool]:
    return lambda annotation: (get_origin(annotation) or annotation) in classes


def _is_sub(*classes: type) -> Callable[[Any], bool]:
    def matches(annotation: Any) -> bool:
        cls = get_origin(annotation) or annotation
        return isinstance(cls, type) and issubclass(cls, classes)

    return matches


REFUSALS: Final = (
    Refusal(_is(Any, object), "it says nothing about the type: name one, or a union of several"),
    Refusal(_is_sub(pydantic.SecretStr, pydantic.SecretBytes, pydantic.Secret), "it would be written in clear"),
    Refusal(_is_sub(Flag), "a combination of members has no symbol: use a list or set of an Enum"),
    Refusal(_is_sub(Enum), "it has no members"),
    Refusal(lambda each: hasattr(each, "__required_keys__"), "a TypedDict is not supported: make it a pydantic model"),
    Refusal(is_dataclass, "a dataclass is not supported: make it a pydantic model"),
    Refusal(lambda each: hasattr(each, "_fields"), "a NamedTuple is not supported: make it a pydantic model"),
    Refusal(_is(complex), "Avro has no complex numbers: use a model with two floats"),
    Refusal(_is(tuple), "it does not say what it holds: write tuple[int, ...] or tuple[int, str]"),
    Refusal(_is(dict), "it does not say what it holds: write dict[str, int]"),
    Refusal(_is(list, set, frozenset), "it does not say what it holds: write list[int]"),
    Refusal(
        lambda each: True,
        "Avro has no type for it: use one of those listed in stamp.schema.annotation, or a model of them",
    ),
)
"""In order; the first that matches gives the reason."""


def refusal(annotation: Any, place: Place) -> SchemaError:
    """Return the error for an annotation that has no form on the wire."""
    reason = next(each.reason for each in REFUSALS if each.matches(annotation))
    shown = annotation.__name__ if isinstance(annotation, type) and not get_origin(annotation) else str(annotation)
    return place.error(f"expected a type that has an Avro form, got {shown}: {reason}")


HARMLESS: Final[Any] = (
    *(pydantic.AfterValidator, pydantic.BeforeValidator, pydantic.PlainValidator, pydantic.WrapValidator),
    *(pydantic.Discriminator, pydantic.Tag, pydantic.Strict, pydantic.AllowInfNan, pydantic.FailFast),
    *(pydantic.StringConstraints, pydantic.UrlConstraints, types.UuidVersion, types.PathType),
    *(pydantic.AwareDatetime, pydantic.NaiveDatetime, pydantic.PastDatetime, pydantic.FutureDatetime),
    *(pydantic.PastDate, pydantic.FutureDate),
)
"""Metadata that decides which values are valid. Where it changes a value, reading back what was written shows it."""

SERIALIZERS: Final = (pydantic.PlainSerializer, pydantic.WrapSerializer, pydantic.SerializeAsAny)


def check_metadata(metadata: Iterable[Any], place: Place) -> None:
    """Refuse metadata that makes a value look different on the wire: what is written is the value itself.

    Raises:
        SchemaError: there is such metadata. Passing over a serializer could write what it was there to hide.
    """
    for each in metadata:
        name = getattr(each, "__name__", type(each).__name__)
        if _is_any_of(each, SERIALIZERS):
            raise place.error(f"expected no serializer, got {name}: it is not asked when the value is written to Avro")
        if hasattr(each, "__get_pydantic_core_schema__") and not _is_any_of(each, HARMLESS):
            raise place.error(
                f"expected a plain type, got one with {name}: what it does to a value cannot be seen from here"
            )


def _is_any_of(each: Any, classes: Any) -> bool:
    """Tell whether metadata is an instance of one of these classes, or the class itself; it is never asked whether it is equal."""
    return isinstance(each, classes) or any(each is cls for cls in classes)


def check_model(model: type[BaseModel]) -> None:
    """Refuse a model whose instances are not their fields.

    Raises:
        SchemaError: it is unfinished, has serializers of its own, or takes undeclared fields.
    """
    if not model.__pydantic_complete__ and model.model_rebuild(raise_errors=False) is not True:
        raise SchemaError(
            "expected a finished model: define what its annotations refer to, then call its model_rebuild()",
            path=model.__name__,
        )
    decorators = model.__pydantic_decorators__
    for decorator in decorators.field_serializers.values():
        path = f"{model.__name__}.{decorator.info.fields[0]}"
        raise SchemaError("expected no field_serializer: it is not asked when the value is written to Avro", path=path)
    for reason, found in {
        "no model_serializer: it is not asked when the model is written to Avro": bool(decorators.model_serializers),
        "no json_encoders: they are not asked when the model is written to Avro": "json_encoders" in model.model_config,
        "no extra='allow': a field that is not declared has no type": model.model_config.get("extra") == "allow",
        "no __get_pydantic_core_schema__ of its own: what it does to a value cannot be seen from here": _has_own_core_schema(
            model
        ),
    }.items():
        if found:
            raise SchemaError(f"expected {reason}", path=model.__name__)


def check_written(model: type[BaseModel]) -> None:
    """Refuse what only matters in a model that is written, and not in a view.

    Raises:
        SchemaError: it, or a model in it, has a computed field, which its readers would expect and not get.
    """
    for cls, name in computed_fields(model):
        raise SchemaError(
            "expected no computed field in what a step writes: it is not written. Make it a plain @property if only Python code that "
            "has the model asks for it, or a field, which a validator may fill, if other steps read it",
            path=f"{cls.__name__}.{name}",
        )


def _has_own_core_schema(model: type[BaseModel]) -> bool:
    definers = (each for each in model.__mro__ if "__get_pydantic_core_schema__" in each.__dict__)
    return next(definers) not in {BaseModel, RootModel}

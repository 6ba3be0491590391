"""What pydantic makes of a model: its core schema, looked at for what could make reading give another value than was written.

Law: `is_exact` is true only of a model that gives back every value that its writer writes. The writers are strict about types, and
decoding gives values of exactly those types, so that nothing is left to go wrong but code, constraints, settings and fields that are
not written. Those are not looked for: what is harmless is listed, and all else, of later versions of pydantic too, is not exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, RootModel

__all__ = ["Computed", "computed_fields", "has_own_equality", "is_exact"]

Core = Mapping[str, Any]


class Computed(NamedTuple):
    """A computed field, and the class that has it."""

    model: type[BaseModel]
    name: str


def computed_fields(model: type[BaseModel]) -> Iterator[Computed]:
    """Yield the computed fields of a model and of all models within it."""
    for cls in _models(model):
        yield from (Computed(cls, name) for name in cls.model_computed_fields)


def has_own_equality(model: type[BaseModel]) -> bool:
    """Tell whether a model, or one within it, says itself what is equal: it may leave out what makes a difference."""
    return any(cls.__eq__ not in {BaseModel.__eq__, RootModel.__eq__} for cls in _models(model))


def is_exact(model: type[BaseModel]) -> bool:
    """Tell whether whatever is written of this model is certain to be read as the same value."""
    return all(map(_is_harmless, _cores(model.__pydantic_core_schema__)))


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    return (core["cls"] for core in _cores(model.__pydantic_core_schema__) if core["type"] == "model")


def _cores(value: Any) -> Iterator[Core]:
    """Yield every core schema in a value, from the outside in."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value
        for key, each in value.items():
            if key not in OPAQUE:
                yield from _cores(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _cores(each)


OPAQUE: Final = frozenset(
    {"cls", "computed_fields", "config", "default", "expected", "function", "members", "metadata", "serialization"}
)
"""Members of a core schema that hold no schemas of what is read."""

_ALWAYS: Final = frozenset({"metadata", "ref", "serialization", "type"})
_STRICT: Final = frozenset({"strict"})
_ITEMS: Final = frozenset({"fail_fast", "items_schema", "variadic_item_index"})
_TIME: Final = frozenset({"microseconds_precision", "strict", "tz_constraint"})
_ERROR: Final = frozenset({"custom_error_context", "custom_error_message", "custom_error_type"})

HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("bool", "bytes", "date", "float", "int", "none", "str", "uuid"), _STRICT),
    **dict.fromkeys(("datetime", "time", "timedelta"), _TIME),
    **dict.fromkeys(("deque", "frozenset", "list", "set", "tuple"), _ITEMS),
    "decimal": frozenset({"decimal_places", "max_digits"}),
    "default": frozenset(
        {"copy_default", "default", "default_factory", "default_factory_takes_data", "schema", "validate_default"}
    ),
    "definition-ref": frozenset({"schema_ref"}),
    "definitions": frozenset({"definitions", "schema"}),
    "dict": frozenset({"fail_fast", "keys_schema", "strict", "values_schema"}),
    "enum": frozenset({"cls", "members", "missing", "strict", "sub_type"}),
    "literal": frozenset({"expected"}),
    "model": frozenset({"cls", "config", "custom_init", "frozen", "generic_origin", "root_model", "schema"}),
    "model-field": frozenset({"frozen", "schema", "serialization_alias", "validation_alias"}),
    "model-fields": frozenset({"computed_fields", "extra_behavior", "fields", "from_attributes", "model_name"}),
    "nullable": frozenset({"schema"}),
    "union": frozenset({"choices", *_ERROR}),
    "tagged-union": frozenset({"choices", "discriminator", "from_attributes", *_ERROR}),
}
"""By the type of a core schema, the members that it may have besides `_ALWAYS`."""

SETTINGS: Final = frozenset(
    {
        *(
            "cache_strings",
            "extra_fields_behavior",
            "from_attributes",
            "frozen",
            "hide_input_in_errors",
            "loc_by_alias",
        ),
        *("populate_by_name", "regex_engine", "serialize_by_alias", "ser_json_bytes", "ser_json_inf_nan"),
        *("ser_json_temporal", "ser_json_timedelta", "title", "val_json_bytes", "validate_by_alias"),
        *("validate_by_name", "validate_default", "validation_error_cause"),
    }
)
"""What the configuration of a model may say."""

BRANCHES: Final = frozenset(
    {
        *("bool", "bytes", "date", "datetime", "decimal", "definition-ref", "enum", "float", "int", "model", "none"),
        *("str", "time", "timedelta", "uuid"),
    }
)
"""The branches of a union that are told apart by the class of what was decoded; a dict might be a model as well."""


def _is_harmless(core: Core) -> bool:
    kind = core["type"]
    if not core.keys() <= HARMLESS.get(kind, frozenset()) | _ALWAYS:
        return False
    match kind:
        case "model":
            return not core.get("custom_init") and core.get("config", {}).keys() <= SETTINGS
        case "union":
            branches = (each[0] if isinstance(each, tuple) else each for each in core["choices"])
            return all(each["type"] in BRANCHES for each in branches)
        case "tagged-union":
            return isinstance(core["discriminator"], str)
        case "decimal":  # with both it is Avro's decimal, for which the writer is as strict
            return "max_digits" in core and "decimal_places" in core
        case "datetime":
            return core.get("tz_constraint") in {None, "aware", "naive"}
    return kind in HARMLESS

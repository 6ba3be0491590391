import json
import typing
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypeVar, Union
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    ByteSize,
    ConfigDict,
    Discriminator,
    Field,
    HttpUrl,
    InstanceOf,
    Json,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    PlainSerializer,
    PositiveInt,
    RootModel,
    SecretBytes,
    SecretStr,
    SerializeAsAny,
    SkipValidation,
    StrictBool,
    Tag,
    condecimal,
    conint,
    constr,
    create_model,
)
from typing_extensions import TypeAliasType, TypedDict

from stamp.errors import SchemaError
from stamp.schema import SchemaId, avro_schema, bind

T = TypeVar("T")
B = TypeVar("B", bound=int)


class Color(Enum):
    RED = "light red"
    BLUE = 2


class Level(IntEnum):
    LOW = 1
    HIGH = 10


class Mood(StrEnum):
    GOOD = "good"


class Access(Flag):
    READ = 1


class Nothing(Enum):
    pass


class Foreign(Enum):
    STRASSE = 1
    Straße = 2


class Item(BaseModel):
    price: Decimal = Field(max_digits=9, decimal_places=2)


class Box(BaseModel, Generic[T]):
    """Holds a thing."""

    thing: T


class Bounded(BaseModel, Generic[B]):
    thing: B


class Chain(BaseModel, Generic[T]):
    item: T
    rest: "Chain[T] | None" = None


class Tags(RootModel[list[str]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Point(NamedTuple):
    x: int


class Options(TypedDict):
    x: int


@dataclass
class Data:
    x: int


class Upper:
    pass


UserId = NewType("UserId", int)
Ids = TypeAliasType("Ids", list[UserId])
Pairs = TypeAliasType("Pairs", dict[str, tuple[T, T]], type_params=(T,))
Endless = TypeAliasType("Endless", "list[Endless]")

LONG = "long"
COLOR = {"type": "enum", "name": "Color", "symbols": ["RED", "BLUE"]}
LEVEL = {"type": "enum", "name": "Level", "symbols": ["LOW", "HIGH"]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
TIMESTAMP = {"type": "long", "logicalType": "timestamp-micros"}
LOCAL = {"type": "long", "logicalType": "local-timestamp-micros"}
DATE = {"type": "int", "logicalType": "date"}
TIME = {"type": "long", "logicalType": "time-micros"}
DURATION = {"type": "long", "logicalType": "timedelta-micros"}
UUID_TEXT = {"type": "string", "logicalType": "uuid"}
ITEM = {"type": "record", "name": "Item", "fields": [{"name": "price", "type": DECIMAL}]}
CAT = {
    "type": "record",
    "name": "Cat",
    "fields": [{"name": "kind", "type": "string", "default": "cat", "stamp": {"enum": ["cat"]}}],
}
DOG = {
    "type": "record",
    "name": "Dog",
    "fields": [{"name": "kind", "type": "string", "default": "dog", "stamp": {"enum": ["dog"]}}],
}


def array(items):
    return {"type": "array", "items": items}


def record(name, **fields):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": value} for key, value in fields.items()]}


def pair(name, first, second):
    return record(name, _0=first, _1=second)


def one_field(annotation, default=...):
    return create_model("M", x=(annotation, default))


MAPPED = {
    "bool": (bool, "boolean"),
    "strict bool": (StrictBool, "boolean"),
    "int": (int, LONG),
    "constrained int": (conint(ge=0, lt=10), LONG),
    "positive int": (PositiveInt, LONG),
    "annotated int": (Annotated[int, Field(gt=0, lt=100)], LONG),
    "byte size": (ByteSize, LONG),
    "float": (float, "double"),
    "str": (str, "string"),
    "constrained str": (constr(max_length=3), "string"),
    "validated str": (Annotated[str, AfterValidator(str.upper)], "string"),
    "bytes": (bytes, "bytes"),
    "None": (None, "null"),
    "datetime": (datetime, TIMESTAMP),
    "aware datetime": (AwareDatetime, TIMESTAMP),
    "past datetime": (PastDatetime, TIMESTAMP),
    "naive datetime": (NaiveDatetime, LOCAL),
    "annotated naive datetime": (Annotated[datetime, NaiveDatetime], LOCAL),
    "date": (date, DATE),
    "past date": (PastDate, DATE),
    "time": (time, TIME),
    "timedelta": (timedelta, DURATION),
    "UUID": (UUID, UUID_TEXT),
    "Decimal": (Decimal, "string"),
    "Decimal with digits only": (Annotated[Decimal, Field(max_digits=9)], "string"),
    "constrained Decimal": (Annotated[Decimal, Field(max_digits=9, decimal_places=2)], DECIMAL),
    "condecimal": (condecimal(max_digits=9, decimal_places=2), DECIMAL),
    "list of constrained Decimal": (list[Annotated[Decimal, Field(max_digits=9, decimal_places=2)]], array(DECIMAL)),
    "constraint around a union": (Annotated[Decimal | None, Field(max_digits=9, decimal_places=2)], ["null", DECIMAL]),
    "URL": (HttpUrl, "string"),
    "any URL": (AnyUrl, "string"),
    "IP address": (IPv4Address, "string"),
    "path": (Path, "string"),
    "Enum": (Color, COLOR),
    "IntEnum": (Level, LEVEL),
    "StrEnum": (Mood, {"type": "enum", "name": "Mood", "symbols": ["GOOD"]}),
    "Literal of str": (Literal["a", "b"], "string"),
    "Literal of int": (Literal[1, 2], LONG),
    "Literal of bool": (Literal[True], "boolean"),
    "Literal of members": (Literal[Color.RED], COLOR),
    "Literal with None": (Literal["a", None], ["null", "string"]),
    "list": (list[int], array(LONG)),
    "typing.List": (typing.List[int], array(LONG)),  # noqa: UP006
    "list of lists": (list[list[int]], array(array(LONG))),
    "Sequence": (Sequence[int], array(LONG)),
    "deque": (deque[int], array(LONG)),
    "homogeneous tuple": (tuple[int, ...], array(LONG)),
    "set": (set[str], array("string")),
    "frozenset": (frozenset[str], array("string")),
    "abstract set": (AbstractSet[str], array("string")),
    "dict": (dict[str, int], {"type": "map", "values": LONG}),
    "Mapping": (Mapping[str, list[int]], {"type": "map", "values": array(LONG)}),
    "dict with constrained keys": (dict[constr(min_length=1), int], {"type": "map", "values": LONG}),
    "tuple": (tuple[int, str], pair("Tuple2_long_string", LONG, "string")),
    "tuple of logical types": (
        tuple[datetime, Annotated[Decimal, Field(max_digits=9, decimal_places=2)]],
        pair("Tuple2_timestamp_micros_decimal_9_2", TIMESTAMP, DECIMAL),
    ),
    "tuple of containers": (
        tuple[list[int], dict[str, int | None]],
        pair("Tuple2_array_long_map_union2_null_long", array(LONG), {"type": "map", "values": ["null", LONG]}),
    ),
    "tuple of a model": (tuple[Item, Item], pair("Tuple2_Item_Item", ITEM, "Item")),
    "tuple of tuples": (
        tuple[tuple[int, int], tuple[int, int]],
        pair("Tuple2_Tuple2_long_long_Tuple2_long_long", pair("Tuple2_long_long", LONG, LONG), "Tuple2_long_long"),
    ),
    "Optional": (Optional[int], ["null", LONG]),
    "null is first": (int | None, ["null", LONG]),
    "union": (Union[int, str, None], ["null", LONG, "string"]),
    "nested unions": (Union[Annotated[int | None, Field()], str], ["null", LONG, "string"]),
    "union of two numbers": (int | float, [LONG, "double"]),
    "union of date and datetime": (date | datetime, [DATE, TIMESTAMP]),
    "union of models": (Cat | Dog, [CAT, DOG]),
    "discriminated union": (Annotated[Cat | Dog, Field(discriminator="kind")], [CAT, DOG]),
    "union of two Literals": (Literal["a"] | Literal["b"], "string"),
    "union of a Literal and its type": (Literal["a"] | str | None, ["null", "string"]),
    "text among several types": (int | Path, [LONG, {"type": "string"}]),
    "model": (Item, ITEM),
    "model twice": (tuple[Item, list[Item]], pair("Tuple2_Item_array_Item", ITEM, array("Item"))),
    "generic": (Box[int], record("Box_int", thing=LONG) | {"doc": "Holds a thing."}),
    "generic of a generic": (
        Box[Box[int] | None],
        record("Box_Box_int_or_None", thing=["null", record("Box_int", thing=LONG) | {"doc": "Holds a thing."}])
        | {"doc": "Holds a thing."},
    ),
    "generic of containers": (
        Box[dict[str, list[int]]],
        record("Box_dict_str_list_int", thing={"type": "map", "values": array(LONG)}) | {"doc": "Holds a thing."},
    ),
    "generic without arguments": (Bounded, record("Bounded", thing=LONG)),
    "RootModel": (Tags, array("string")),
    "RootModel of a union": (RootModel[int | None], ["null", LONG]),
    "optional RootModel": (Tags | None, ["null", array("string")]),
    "NewType": (UserId, LONG),
    "type alias": (Ids, array(LONG)),
    "type alias with arguments": (
        Pairs[int],
        {"type": "map", "values": pair("Tuple2_long_long", LONG, LONG)},
    ),
    "type variable with bound": (list[B], array(LONG)),
}


@pytest.mark.parametrize("case", MAPPED)
def test_annotation_becomes(case, accepted):
    annotation, expected = MAPPED[case]
    schema = avro_schema(one_field(annotation))
    (field,) = schema["fields"]
    assert without_order(field["type"]) == without_order(expected)
    accepted(schema)


def without_order(schema):
    """`==` on dicts ignores order; JSON does not, and golden files check it."""
    return json.loads(json.dumps(schema))


REFUSED = {
    "Any": (Any, "M.x", "says nothing"),
    "object": (object, "M.x", "says nothing"),
    "complex": (complex, "M.x", "two floats"),
    "Callable": (Callable[[int], int], "M.x", "no type for it"),
    "type": (type[int], "M.x", "no type for it"),
    "bare list": (list, "M.x", "list[int]"),
    "bare typing.List": (typing.List, "M.x", "list[int]"),  # noqa: UP006
    "bare dict": (dict, "M.x", "dict[str, int]"),
    "bare tuple": (tuple, "M.x", "tuple[int, ...]"),
    "empty tuple": (tuple[()], "M.x", "tuple[int, ...]"),
    "dict with int keys": (dict[int, str], "M.x", "str keys"),
    "dict with UUID keys": (dict[UUID, str], "M.x", "str keys"),
    "dict with StrEnum keys": (dict[Mood, str], "M.x", "str keys"),
    "list of Any": (list[Any], "M.x", "says nothing"),
    "TypedDict": (Options, "M.x", "pydantic model"),
    "dataclass": (Data, "M.x", "pydantic model"),
    "NamedTuple": (Point, "M.x", "pydantic model"),
    "Flag": (Access, "M.x", "set of an Enum"),
    "member of a Flag": (Literal[Access.READ], "M.x", "set of an Enum"),
    "empty Enum": (Nothing, "M.x", "no members"),
    "Enum with a foreign member": (Foreign, "M.x", "Straße"),
    "secret str": (SecretStr, "M.x", "in clear"),
    "secret bytes": (SecretBytes | None, "M.x", "in clear"),
    "mixed Literal": (Literal["a", 1], "M.x", "one type"),
    "Literal of bool and int": (Literal[True, 1], "M.x", "one type"),
    "two arrays": (list[int] | list[str], "M.x", "'array'"),
    "two strings": (str | UUID, "M.x", "'string'"),
    "two texts": (str | Path, "M.x", "'string'"),
    "two longs": (int | datetime, "M.x", "'long'"),
    "two arrays of one type": (list[int] | set[int], "M.x", "'array'"),
    "two kinds of tuples": (tuple[int, str] | tuple[int, ...], "M.x", "tuple twice"),
    "two generic models of one name": (Box[Annotated[int, Field(gt=1)]] | Box[int], "M.x", "'Box_int'"),
    "RootModel of a union in a union": (RootModel[int | None] | str, "M.x", "union within a union"),
    "RootModel of a model in a union": (RootModel[Item] | Cat, "M.x", "write out its root"),
    "serializer": (Annotated[int, PlainSerializer(str)], "M.x", "no serializer"),
    "serializer of items": (list[Annotated[str, PlainSerializer(lambda v: "***")]], "M.x", "no serializer"),
    "serialize as any": (SerializeAsAny[Item], "M.x", "no serializer"),
    "Base64": (Base64Bytes, "M.x", "EncodedBytes"),
    "Json": (Json[int], "M.x", "Json"),
    "instance": (InstanceOf[Item], "M.x", "InstanceOf"),
    "unvalidated": (SkipValidation[Item], "M.x", "SkipValidation"),
    "type variable": (Box, "Box.thing", "Box[int]"),
    "endless type alias": (Endless, "M.x", "contains itself"),
    "Decimal with more digits than a schema may have": (
        Annotated[Decimal, Field(max_digits=1001, decimal_places=2)],
        "M.x",
        "precision of 1 to 1000",
    ),
    "items of no size": (list[None], "M.x[]", "that take bytes"),
    "Decimal without digits": (Annotated[Decimal, Field(max_digits=2, decimal_places=3)], "M.x", "max_digits"),
    "nested": (Box[list[Box[Any]]], "Box[Any].thing", "says nothing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_annotation_is_refused_with_path_and_reason(case):
    annotation, path, reason = REFUSED[case]
    with pytest.raises(SchemaError) as caught:
        avro_schema(one_field(annotation))
    assert caught.value.path == path
    assert reason in caught.value.message


def test_a_class_that_avro_does_not_know_is_refused():
    model = create_model("M", x=(Upper, ...), __config__=ConfigDict(arbitrary_types_allowed=True))
    with pytest.raises(SchemaError, match=r"M\.x: .* got Upper: Avro has no type for it"):
        avro_schema(model)


UNION_ORDERS = [
    (int | str | None, ..., ["null", "long", "string"]),
    (int | str | None, None, ["null", "long", "string"]),
    (int | str | None, "a", ["string", "null", "long"]),
    (int | str | None, 1, ["long", "null", "string"]),
    (int | bool, True, ["boolean", "long"]),
    (float | str | None, 1, ["double", "null", "string"]),
    (date | datetime, datetime(2020, 1, 1, tzinfo=UTC), [TIMESTAMP, DATE]),
    (Cat | Dog | None, Dog(), [DOG, "null", CAT]),
    (Level | int, Level.LOW, [LEVEL, "long"]),
    (Level | int, 1, ["long", LEVEL]),
]


@pytest.mark.parametrize(("annotation", "default", "expected"), UNION_ORDERS)
def test_branch_of_the_default_comes_first(annotation, default, expected, accepted):
    schema = avro_schema(one_field(annotation, default))
    assert schema["fields"][0]["type"] == expected
    accepted(schema)


def test_types_are_defined_before_they_are_referred_to_when_the_default_reorders_a_union(accepted):
    class Inner(BaseModel):
        n: int = 1

    class Outer(BaseModel):
        inner: Inner

    class M(BaseModel):
        x: Outer | Inner = Inner()

    schema = avro_schema(M)
    assert [branch["name"] for branch in schema["fields"][0]["type"]] == ["Inner", "Outer"]
    accepted(schema)


def test_discriminator_function_is_no_obstacle():
    def kind(value: Any) -> str:
        return value["kind"] if isinstance(value, dict) else value.kind

    annotation = Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(kind)]
    assert avro_schema(one_field(annotation))["fields"][0]["type"] == [CAT, DOG]


def test_a_type_alias_of_names_that_only_pydantic_finds_is_refused():
    class Local(BaseModel):
        n: int

    locals_ = TypeAliasType("locals_", "list[Local]")

    class M(BaseModel):
        x: locals_

    with pytest.raises(SchemaError, match=r"M\.x: .*locals_: name 'Local' is not defined"):
        avro_schema(M)


def test_a_tuple_that_comes_again_within_its_own_items_is_one_type(accepted):
    class Fork(BaseModel):
        branches: list[tuple["Fork", int]] = []

    class Road(BaseModel):
        start: tuple[Fork, int]

    schema = avro_schema(Road)
    start = schema["fields"][0]["type"]
    assert start["name"] == "Tuple2_Fork_long"
    assert start["fields"][0]["type"]["fields"][0]["type"] == array("Tuple2_Fork_long")
    accepted(schema)
    fork = Fork(branches=[(Fork(), 7)])
    assert bind(Road).encode(Road(start=(fork, 1))).hex() == "02000e0002"


def test_metadata_is_not_asked_whether_it_is_equal():
    class Rude:
        __hash__ = None

        def __eq__(self, other):
            raise AssertionError

    assert avro_schema(one_field(Annotated[datetime, Rude(), {}]))["fields"][0]["type"] == TIMESTAMP


def test_a_generic_model_that_contains_itself_has_its_own_name():
    assert avro_schema(Chain[int])["fields"][1]["type"] == ["null", "Chain_int"]
    (inner, outer) = avro_schema(Chain[Chain[int]])["fields"]
    assert inner["type"]["fields"][1]["type"] == ["null", "Chain_int"]
    assert outer["type"] == ["null", "Chain_Chain_int"]


def test_binding_has_the_schema_and_its_identity():
    for annotation, _ in MAPPED.values():
        model = one_field(annotation)
        assert bind(model).schema == avro_schema(model)
        assert json.dumps(bind(model).schema) == json.dumps(avro_schema(model))
        assert SchemaId.of(bind(model).schema) == SchemaId.of(avro_schema(model))

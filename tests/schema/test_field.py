from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    NaiveDatetime,
    PrivateAttr,
    RootModel,
    computed_field,
    condecimal,
    create_model,
)

from stamp.errors import SchemaError
from stamp.schema import avro_schema


class Color(Enum):
    RED = "light red"
    BLUE = 2


class Item(BaseModel):
    price: Decimal = Field(max_digits=9, decimal_places=2)


class Tags(RootModel[list[str]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


LONG = "long"


def record(name, **fields):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": value} for key, value in fields.items()]}


def one_field(annotation, default=...):
    return create_model("M", x=(annotation, default))


DEFAULTS = {
    "bool": (bool, True, True),
    "int": (int, 2**62, 2**62),
    "float": (float, 0.1, 0.1),
    "float from int": (float, 1, 1.0),
    "str": (str, "é", "é"),
    "bytes": (bytes, b"\0\xff", "\0ÿ"),
    "datetime": (datetime, datetime(2020, 1, 1, tzinfo=UTC), 1577836800000000),
    "naive datetime": (NaiveDatetime, datetime(1969, 12, 31, 23, 59, 59, 999999), -1),
    "date": (date, date(2020, 1, 1), 18262),
    "time": (time, time(0, 0, 1, 5), 1000005),
    "timedelta": (timedelta, timedelta(days=-1), -86400000000),
    "UUID": (UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "Decimal": (Decimal, Decimal("1.50"), "1.50"),
    "Decimal from int": (Decimal, 0, "0"),
    "constrained Decimal": (condecimal(max_digits=9, decimal_places=2), Decimal("1.5"), "\x00\x96"),
    "negative Decimal": (condecimal(max_digits=9, decimal_places=2), Decimal("-0.01"), "\xff"),
    "URL": (HttpUrl, "https://example.com", "https://example.com/"),
    "path": (Path, Path("a/b"), "a/b"),
    "Enum": (Color, Color.BLUE, "BLUE"),
    "Literal": (Literal["a", "b"], "b", "b"),
    "list": (list[int], [1, 2], [1, 2]),
    "empty list": (list[int], [], []),
    "set": (set[int], {10, 9, -3}, [-3, 9, 10]),
    "dict": (dict[str, bytes], {"k": b"\xfe"}, {"k": "þ"}),
    "tuple": (tuple[int, str], (1, "a"), {"_0": 1, "_1": "a"}),
    "model": (Item, Item(price=Decimal(1)), {"price": "d"}),
    "list of models": (list[Cat], [Cat()], [{"kind": "cat"}]),
    "RootModel": (Tags, Tags(["a"]), ["a"]),
    "list factory": (list[int], Field(default_factory=list), []),
    "dict factory": (dict[str, int], Field(default_factory=dict), {}),
    "set factory": (set[int], Field(default_factory=set), []),
    "None": (int | None, None, None),
    "not None": (int | None, 5, 5),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_default_has_its_json_form(case, accepted):
    annotation, default, expected = DEFAULTS[case]
    schema = avro_schema(one_field(annotation, default))
    assert schema["fields"][0]["default"] == expected
    assert type(schema["fields"][0]["default"]) is type(expected)
    accepted(schema)


WRONG_DEFAULTS = {
    "None": (int, None),
    "another type": (str, 1),
    "bool is no int": (int, True),
    "naive datetime": (datetime, datetime(2020, 1, 1)),
    "aware naive datetime": (NaiveDatetime, datetime(2020, 1, 1, tzinfo=UTC)),
    "value of an enum": (Color, "light red"),
    "not in the Literal": (Literal["a"], "b"),
    "too many digits": (condecimal(max_digits=9, decimal_places=2), Decimal("0.001")),
    "not in a union": (int | None, "a"),
    "too large": (int, 2**63),
    "not a number": (float, float("nan")),
    "infinity": (float, float("inf")),
    "second branch within": (list[int | None], [5]),
    "wrong item": (list[int], [1, "2"]),
    "unparsable": (HttpUrl, "nonsense"),
    "below a bound": (Annotated[int, Field(gt=1)], 0),
    "above a bound where it may be absent": (Annotated[int, Field(le=9)] | None, 10),
    "too short": (Annotated[str, Field(min_length=1)], ""),
    "an item beyond a bound": (list[Annotated[int, Field(ge=0)]], [1, -1]),
    "another pattern": (Annotated[str, Field(pattern="^[A-Z]+$")], "a"),
}


@pytest.mark.parametrize("case", WRONG_DEFAULTS)
def test_default_that_does_not_fit_is_refused(case):
    annotation, default = WRONG_DEFAULTS[case]
    with pytest.raises(SchemaError, match="does not fit") as caught:
        avro_schema(one_field(annotation, default))
    assert caught.value.path == "M.x"


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (Annotated[int, Field(gt=1)], 2),
        (Annotated[int, Field(gt=1)] | None, None),
        (Annotated[str, Field(min_length=1)], "a"),
        (Annotated[int, AfterValidator(lambda value: 1 // value)], 0),  # code is asked when data come
    ],
)
def test_a_default_within_its_bounds_is_taken(annotation, default):
    [field] = avro_schema(one_field(annotation, default))["fields"]
    assert field["default"] == default


@pytest.mark.parametrize("factory", [uuid4, lambda: [1], lambda: 1, list[int]])
def test_a_factory_that_may_give_anything_is_no_default(factory):
    annotation = UUID if factory is uuid4 else list[int] | int
    schema = avro_schema(one_field(annotation, Field(default_factory=factory)))
    assert "default" not in schema["fields"][0]


def test_only_the_value_of_a_nested_default_of_the_first_branch_has_a_form():
    class Settings(BaseModel):
        limit: int | None = None

    schema = avro_schema(one_field(Settings, Settings()))
    assert schema["fields"][0]["default"] == {"limit": None}
    with pytest.raises(SchemaError, match="first branch"):
        avro_schema(one_field(Settings, Settings(limit=5)))


WIRE_NAMES = [
    (Field(), "x", None),
    (Field(alias="y"), "y", None),
    (Field(validation_alias="y"), "y", None),
    (Field(serialization_alias="x"), "x", None),
    (Field(serialization_alias="y", validation_alias=AliasChoices("y", "z")), "y", ["z"]),
    (Field(serialization_alias="y", validation_alias=AliasChoices("z", "y")), "y", ["z"]),
    (Field(validation_alias=AliasChoices("x", "old")), "x", ["old"]),
    (Field(validation_alias=AliasChoices("old", "older")), "x", ["old", "older"]),
]


@pytest.mark.parametrize(("field", "name", "aliases"), WIRE_NAMES)
def test_name_of_a_field_on_the_wire(field, name, aliases, accepted):
    schema = avro_schema(one_field(int, field))
    assert schema["fields"][0]["name"] == name
    assert schema["fields"][0].get("aliases") == aliases
    accepted(schema)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (Field(serialization_alias="y"), "read back"),
        (Field(serialization_alias="y", validation_alias="z"), "read back"),
        (Field(alias="not-a-name"), "legal Avro name"),
        (Field(alias="größe"), "legal Avro name"),
        (Field(validation_alias=AliasPath("a", 0)), "AliasPath"),
        (Field(validation_alias=AliasChoices("a", AliasPath("b", 0))), "AliasPath"),
        (Field(validation_alias=AliasChoices("x", "a-b")), "AliasChoices of legal"),
        (Field(exclude=True), "expected a default"),
        (Field(default=1, exclude_if=lambda value: value == 1), "exclude_if"),
    ],
)
def test_field_is_refused(field, reason):
    with pytest.raises(SchemaError, match=reason) as caught:
        avro_schema(one_field(int, field))
    assert caught.value.path == "M.x"


def test_alias_generators_count():
    class M(BaseModel):
        model_config = ConfigDict(alias_generator=AliasGenerator(alias=str.upper), defer_build=True)
        amount: int

    assert [field["name"] for field in avro_schema(M)["fields"]] == ["AMOUNT"]


@pytest.mark.parametrize(
    "fields",
    [
        {"a": (int, Field(alias="b")), "b": (int, ...)},
        {"a": (int, Field(alias="b")), "b": (int, Field(alias="a"))},
        {"a": (int, Field(alias="c")), "b": (int, Field(alias="c"))},
        {"a": (int, ...), "b": (int, Field(validation_alias=AliasChoices("b", "a")))},
    ],
)
def test_a_name_with_two_meanings_is_refused(fields):
    with pytest.raises(SchemaError, match=r"M\.b: expected names of its own, got '\w', which M\.a has too"):
        avro_schema(create_model("M", **fields))


def test_what_is_no_field_is_left_out():
    class M(BaseModel):
        kept: int
        left_out: str = Field("", exclude=True)
        made: dict[int, int] = Field(default_factory=dict, exclude=True)
        constant: ClassVar[int] = 1
        _private: int = PrivateAttr(1)

        @computed_field
        def derived(self) -> int:
            return 1

    assert avro_schema(M) == record("M", kept=LONG)


def test_docs_are_the_authors_own():
    class Documented(Enum):
        """Which one."""

        A = 1

    class Base(BaseModel):
        """Inherited."""

    class M(Base):
        a: Documented = Field(description="The first.")
        b: Item

    schema = avro_schema(M)
    assert "doc" not in schema
    assert schema["fields"][0]["doc"] == "The first."
    assert schema["fields"][0]["type"]["doc"] == "Which one."
    assert "doc" not in schema["fields"][1]
    assert "doc" not in avro_schema(one_field(Color))["fields"][0]["type"]
    assert avro_schema(Base)["doc"] == "Inherited."

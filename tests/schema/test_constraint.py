"""What a model enforces beyond Avro, in its schema: which words, where, and that nobody who decodes looks at them."""

from __future__ import annotations

import json
import re
from collections import deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import annotated_types as at
import pytest
from pydantic import (
    UUID4,
    AfterValidator,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Discriminator,
    Field,
    FilePath,
    FiniteFloat,
    FutureDate,
    HttpUrl,
    PastDatetime,
    PositiveInt,
    RootModel,
    StringConstraints,
    Tag,
    UrlConstraints,
    conint,
    conlist,
    constr,
    create_model,
    field_validator,
    model_validator,
)

from stamp.schema import SchemaId, avro_schema, bind, decoder, lint
from stamp.schema.identity import canonical, content
from stamp.schema.lint import problems
from stamp.schema.types import load
from stamp.schema.unseen import validators


class Level(Enum):
    LOW = 1
    HIGH = 10


class Card(BaseModel):
    kind: Literal["card"]


class Cash(BaseModel):
    kind: Literal["cash"]


class Scores(RootModel[list[Annotated[int, Field(le=9)]]]):
    pass


class Checked(RootModel[int]):
    @model_validator(mode="after")
    def check(self) -> Checked:
        return self


def one_field(annotation: Any) -> type[BaseModel]:
    return create_model("M", x=(annotation, ...))


def said(annotation: Any) -> Any:
    (field,) = avro_schema(one_field(annotation))["fields"]
    return field.get("stamp")


SMALL = Annotated[int, Field(le=9)]
VALIDATOR = {"validator": "M.x"}

SAID: dict[str, tuple[Any, Any]] = {
    "nothing": (int, None),
    "annotated with what pydantic does not know": (Annotated[int, "kilograms"], None),
    "bounds": (Annotated[int, Field(gt=0, le=999)], {"exclusiveMinimum": 0, "maximum": 999}),
    "conint": (conint(ge=0, lt=10, multiple_of=5), {"minimum": 0, "exclusiveMaximum": 10, "multipleOf": 5}),
    "positive": (PositiveInt, {"exclusiveMinimum": 0}),
    "an interval": (Annotated[int, at.Interval(gt=1, le=3)], {"exclusiveMinimum": 1, "maximum": 3}),
    "the last of two bounds": (Annotated[int, Field(le=9), Field(le=5)], {"maximum": 5}),
    "bytes of memory": (ByteSize, {"minimum": 0}),
    "float": (Annotated[float, Field(ge=0.5)], {"minimum": 0.5}),
    "a finite float": (FiniteFloat, {"finite": True}),
    "length": (constr(min_length=1, max_length=3), {"minLength": 1, "maxLength": 3}),
    "length of bytes": (Annotated[bytes, Field(max_length=4)], {"maxLength": 4}),
    "pattern": (Annotated[str, StringConstraints(pattern="^[A-Z]+$")], {"pattern": "^[A-Z]+$"}),
    "compiled pattern": (Annotated[str, Field(pattern=re.compile("^a"))], {"pattern": "^a"}),
    "a text that is stripped first": (constr(strip_whitespace=True, min_length=1), {"minLength": 1, **VALIDATOR}),
    "Literal": (Literal["cash", "card"], {"enum": ["card", "cash"]}),
    "Literal of int": (Literal[2, 1], {"enum": [1, 2]}),
    "Literal of bool": (Literal[True], {"enum": [True]}),
    "Literal of bytes": (Literal[b"\xff"], {"enum": ["\xff"]}),
    "Literal with None": (Literal["a", None], {"enum": ["a"]}),
    "Literal of members": (Literal[Level.HIGH], {"enum": ["HIGH"]}),
    "Literal of all members": (Literal[Level.HIGH, Level.LOW], None),
    "two Literals": (Literal["a"] | Literal["b"] | None, {"enum": ["a", "b"]}),
    "a Literal or any text": (Literal["a"] | str, None),
    "either of two ranges": (Annotated[int, Field(le=1)] | Annotated[int, Field(ge=9)], VALIDATOR),
    "Enum": (Level, None),
    "UUID": (UUID, None),
    "UUID of a version": (UUID4, {"format": "uuid4"}),
    "URL": (AnyUrl, {"format": "uri"}),
    "HTTP URL": (HttpUrl, {"format": "uri", "schemes": ["http", "https"], "maxLength": 2083}),
    "constrained URL": (
        Annotated[AnyUrl, UrlConstraints(allowed_schemes=["amqp"])],
        {"format": "uri", "schemes": ["amqp"]},
    ),
    "IP address": (IPv4Address, {"format": "ipv4"}),
    "Decimal": (Decimal, {"format": "decimal"}),
    "bounded Decimal": (
        Annotated[Decimal, Field(max_digits=5, ge=Decimal("0.50"))],
        {"format": "decimal", "minimum": "0.50", "maxDigits": 5},
    ),
    "Decimal of Avro": (Annotated[Decimal, Field(max_digits=5, decimal_places=2)], None),
    "bounded Decimal of Avro": (Annotated[Decimal, Field(max_digits=5, decimal_places=2, gt=0)], {"exclusiveMinimum": 0}),
    "date": (Annotated[date, Field(ge=date(2020, 1, 1))], {"minimum": "2020-01-01"}),
    "time": (Annotated[time, Field(lt=time(18, 30))], {"exclusiveMaximum": "18:30:00"}),
    "instant": (
        Annotated[datetime, Field(gt=datetime(2020, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))],
        {"exclusiveMinimum": "2020-01-01T00:00:00+00:00"},
    ),
    "duration": (Annotated[timedelta, Field(le=timedelta(minutes=1, milliseconds=500))], {"maximum": "60.5"}),
    "list": (conlist(int, min_length=1, max_length=3), {"minItems": 1, "maxItems": 3}),
    "deque": (Annotated[deque[int], at.MaxLen(3)], {"maxItems": 3}),
    "items": (list[SMALL], {"items": {"maximum": 9}}),
    "items of items": (list[list[Literal["a"]]], {"items": {"items": {"enum": ["a"]}}}),
    "optional items": (list[SMALL | None] | None, {"items": {"maximum": 9}}),
    "set": (set[int], {"uniqueItems": True}),
    "map": (Annotated[dict[str, SMALL], Field(max_length=2)], {"additionalProperties": {"maximum": 9}, "maxProperties": 2}),
    "keys": (dict[Literal["a", "b"], int], {"propertyNames": {"enum": ["a", "b"]}}),
    "members as items": (list[Literal[Level.LOW]], {"items": {"enum": ["LOW"]}}),
    "tuple": (tuple[int, SMALL], {"prefixItems": [{}, {"maximum": 9}]}),
    "optional": (SMALL | None, {"maximum": 9}),
    "around a union": (Annotated[int | None, Field(le=9)], {"maximum": 9}),
    "union": (SMALL | Literal["a"] | None, {"anyOf": [{}, {"maximum": 9}, {"enum": ["a"]}]}),
    "root model": (Scores, {"items": {"maximum": 9}}),
    "root model with a validator": (Checked, {"validator": "Checked"}),
    "validator before": (Annotated[int, BeforeValidator(abs)], VALIDATOR),
    "validator after": (Annotated[SMALL, AfterValidator(abs)], {"maximum": 9, **VALIDATOR}),
    "validator of items": (list[Annotated[int, AfterValidator(abs)]], {"items": VALIDATOR}),
    "validator around a union": (Annotated[int | str, AfterValidator(str)], VALIDATOR),
    "predicate": (Annotated[int, at.Predicate(bool)], VALIDATOR),
    "the clock": (PastDatetime, VALIDATOR),
    "the clock of another day": (FutureDate, VALIDATOR),
    "the disk": (FilePath, VALIDATOR),
    "tags by name": (Annotated[Card | Cash, Field(discriminator="kind")], None),
    "tags by a function": (
        Annotated[Annotated[Card, Tag("card")] | Annotated[Cash, Tag("cash")], Discriminator(lambda value: value.kind)],
        VALIDATOR,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_a_field_says_what_its_model_enforces(case: str, accepted: Any) -> None:
    annotation, expected = SAID[case]
    assert said(annotation) == expected
    schema = avro_schema(one_field(annotation))
    lint(schema)
    accepted(schema)
    assert json.dumps(bind(one_field(annotation)).schema) == json.dumps(schema)


def test_what_a_model_configures_holds_for_all_its_values() -> None:
    class M(BaseModel):
        model_config = ConfigDict(str_max_length=3, allow_inf_nan=False)

        text: str
        own: Annotated[str, Field(max_length=5)]
        keys: dict[str, float]
        address: IPv4Address

    assert [each.get("stamp") for each in avro_schema(M)["fields"]] == [
        {"maxLength": 3},
        {"maxLength": 5},
        {"propertyNames": {"maxLength": 3}, "additionalProperties": {"finite": True}},
        {"format": "ipv4"},
    ]


def test_validators_are_named_where_they_are() -> None:
    class Inner(BaseModel):
        y: int

        def model_post_init(self, context: Any) -> None:
            raise ValueError

    class Base(BaseModel):
        x: int

        @field_validator("x")
        @classmethod
        def even(cls, value: int) -> int:
            return value

    class Outer(Base):
        _private: int = 1
        plain: int
        inner: Inner
        many: list[Annotated[int, AfterValidator(abs)]]

    class All(Outer):
        @field_validator("*")
        @classmethod
        def any(cls, value: Any) -> Any:
            return value

    assert validators(load(avro_schema(Outer))) == ("Outer.x", "Outer.many", "Inner")
    assert set(validators(load(avro_schema(All)))) == {"All.x", "All.plain", "All.inner", "All.many", "Inner"}
    assert validators(load(avro_schema(Card))) == ()


def test_the_order_of_a_literal_says_nothing() -> None:
    assert content(avro_schema(one_field(Literal["a", "b"]))) == content(avro_schema(one_field(Literal["b", "a"])))


def test_constraints_are_no_part_of_the_identity_and_part_of_the_content() -> None:
    narrow, wide = (avro_schema(one_field(Annotated[int, Field(le=limit)])) for limit in (999, 9999))
    plain = avro_schema(one_field(int))
    assert SchemaId.of(narrow) == SchemaId.of(wide) == SchemaId.of(plain)
    assert canonical(narrow) == canonical(plain) == content(plain)
    assert len({content(each) for each in (narrow, wide, plain)}) == 3


def test_other_properties_that_avro_does_not_know_are_part_of_the_identity() -> None:
    schema = avro_schema(one_field(int))
    assert SchemaId.of(schema | {"owner": "billing"}) != SchemaId.of(schema)


def test_decoders_do_not_look_at_constraints() -> None:
    narrow, plain = avro_schema(one_field(Annotated[int, Field(le=9)])), avro_schema(one_field(int))
    assert decoder(plain, narrow).source == decoder(plain, plain).source
    assert decoder(plain, narrow)(b"\xd0\x0f") == {"x": 1000}


REFUSED: list[tuple[Any, str]] = [
    ({"maximum": True}, "maximum to be a number"),
    ({"maximum": "1e999999999"}, "maximum to be a number"),
    ({"minimum": "9" * 2000}, "minimum to be a number"),
    ({"multipleOf": 0}, "multipleOf to be a number above 0"),
    ({"multipleOf": "2020-01-01"}, "multipleOf to be a number above 0"),
    ({"minLength": -1}, "minLength to be a whole number"),
    ({"maxItems": 1.5}, "maxItems to be a whole number"),
    ({"pattern": "x" * 1001}, "pattern to be a text of at most 1000"),
    ({"pattern": 1}, "pattern to be a text"),
    ({"enum": []}, "enum to be a list"),
    ({"enum": [None]}, "enum to be a list"),
    ({"enum": ["x"] * 10_001}, "enum to be a list"),
    ({"schemes": "https"}, "schemes to be a list"),
    ({"uniqueItems": 1}, "uniqueItems to be true or false"),
    ({"validator": []}, "validator to be the name"),
    ({"items": []}, "an object"),
    ({"anyOf": {}}, "anyOf to be a list"),
    ({"items": {"maximum": "x"}}, "maximum to be a number"),
    ({"prefixItems": [{}, {"maxLength": "x"}]}, "maxLength to be a whole number"),
]


@pytest.mark.parametrize(("attribute", "message"), REFUSED)
def test_constraints_that_make_no_sense_are_refused_with_their_place(attribute: Any, message: str) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "long", "stamp": attribute}]}
    (problem, *_) = problems(schema)
    assert problem.path == "R.x"
    assert message in problem.message
    (problem, *_) = problems({"type": "record", "name": "R", "fields": [], "stamp": attribute})
    assert problem.path == "R"


def test_a_constraint_has_a_depth() -> None:
    deep: Any = {}
    for _ in range(40):
        deep = {"items": deep}
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "long", "stamp": deep}]}
    assert "32 levels" in problems(schema)[0].message


def test_words_of_a_later_time_are_passed_over() -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "long", "stamp": {"contains": {"a": 1}}}]}
    lint(schema)
    assert not load(schema).fields[0].constraint


def test_a_bound_in_another_time_zone_is_the_same_bound() -> None:
    there = datetime(2020, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert said(Annotated[datetime, Field(gt=there)]) == said(Annotated[datetime, Field(gt=there.astimezone(UTC))])

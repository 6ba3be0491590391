"""Laws of constraints: what a check says of two models is what the models do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from time import process_time
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AnyUrl,
    BaseModel,
    Field,
    FiniteFloat,
    HttpUrl,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    conint,
    conlist,
    constr,
    create_model,
)

from stamp.compat import Severity, check, prove, read_source, samples, with_fixes, with_witnesses
from stamp.compat.wording import is_satisfied
from stamp.errors import StampError
from stamp.schema import Catalog, SchemaId, avro_schema
from stamp.schema.types import Type
from stamp.schema.view import View
from stamp.testing.strategies import payloads


class Size(Enum):
    SMALL = 1
    LARGE = 2


def bounded(**said: Any) -> Any:
    return Annotated[Decimal, Field(max_digits=5, decimal_places=2, **said)]


FAMILIES: dict[str, list[Any]] = {
    "int": [
        *(int, PositiveInt, conint(le=9), conint(le=10), conint(lt=10), conint(ge=-1, le=9), conint(gt=-2)),
        *(conint(multiple_of=2), conint(multiple_of=4), conint(multiple_of=3, le=10), Literal[1], Literal[1, 2, 3]),
        *(conint(ge=1, le=3), conint(ge=1, le=4), Literal[4, 8]),
    ],
    "float": [
        *(float, FiniteFloat, Annotated[float, Field(le=1)], Annotated[float, Field(lt=1)]),
        *(Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(gt=0)], Annotated[float, Field(multiple_of=0.5)]),
    ],
    "text": [
        *(str, constr(max_length=3), constr(max_length=4), constr(min_length=1), constr(min_length=4, max_length=4)),
        *(Literal["card"], Literal["card", "cash"], constr(pattern="^[a-z]+$"), constr(pattern="^[a-z]+$", max_length=4)),
        *(constr(pattern="^[A-Z]"), AnyUrl, HttpUrl, Decimal, Annotated[Decimal, Field(le=9)]),
        *(Annotated[Decimal, Field(max_digits=3)], Annotated[Decimal, Field(decimal_places=1, ge=Decimal("-0.5"))]),
    ],
    "uuid": [str, UUID, UUID4],
    "decimal": [bounded(), bounded(ge=0), bounded(gt=0), bounded(le=Decimal("9.99")), bounded(multiple_of=Decimal("0.05"))],
    "date": [date, Annotated[date, Field(ge=date(2020, 1, 1))], Annotated[date, Field(gt=date(2019, 12, 31))]],
    "instant": [
        datetime,
        Annotated[datetime, Field(lt=datetime(2030, 1, 1, tzinfo=UTC))],
        Annotated[datetime, Field(le=datetime(2029, 12, 31, tzinfo=UTC))],
    ],
    "duration": [timedelta, Annotated[timedelta, Field(ge=timedelta(0))], Annotated[timedelta, Field(gt=timedelta(0))]],
    "enum": [Size, Literal[Size.SMALL], Literal[Size.LARGE]],
    "bool": [bool, Literal[True], Literal[False]],
    "list": [
        *(list[int], list[PositiveInt], conlist(int, min_length=1), conlist(int, max_length=2), list[Literal[1]]),
        *(set[int], Annotated[set[int], Field(min_length=1)], Annotated[set[int], Field(min_length=2)]),
    ],
    "map": [
        *(dict[str, int], dict[Literal["a"], int], dict[str, PositiveInt], dict[constr(max_length=2), int]),
        Annotated[dict[str, int], Field(max_length=1)],
    ],
    "union": [int | str, PositiveInt | str, int | Literal["a"], str | int, PositiveInt | Literal["a"] | None],
    "optional": [int | None, PositiveInt | None, Literal[1] | None],
    "tuple": [tuple[int, int], tuple[PositiveInt, int], tuple[int, PositiveInt]],
    "promoted": [
        *(int, Literal[0, 3], conint(le=2**53 + 1), float, Annotated[float, Field(le=2**53)]),
        *(Annotated[float, Field(multiple_of=0.1)], Annotated[float, Field(ge=0, le=10)]),
    ],
    "nested": [list[dict[str, int | None]], list[dict[str, PositiveInt | None]], list[dict[Literal["a"], int | None]]],
}  # fmt: skip
"""Types of one form on the wire, wider and narrower."""

PAIRS = [
    (family, one, other)
    for family, types in FAMILIES.items()
    for one in range(len(types))
    for other in range(len(types))
]


@cache
def model(family: str, number: int) -> type[BaseModel]:
    return create_model("Paid", value=(FAMILIES[family][number], ...))


@cache
def catalog(family: str, number: int) -> tuple[Any, SchemaId, Catalog]:
    schema = avro_schema(model(family, number))
    return schema, SchemaId.of(schema), Catalog().with_schema(schema)


def is_read(view: type[BaseModel], family: str, number: int, datum: bytes) -> bool:
    _, schema_id, there = catalog(family, number)
    try:
        View(view).read(schema_id, datum, there)
    except StampError:
        return False
    return True


def errors(reader: Any, writer: Any) -> list[Any]:
    return [each for each in check(reader, writer) if each.severity is Severity.ERROR]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_verdict_is_what_the_models_do(family: str) -> None:
    """No error: all data at the boundaries are read. An error: its witness is written by the one model, and refused by the other."""
    for one in range(len(FAMILIES[family])):
        for other in range(len(FAMILIES[family])):
            writer, reader = catalog(family, one)[0], catalog(family, other)[0]
            found = with_witnesses(errors(reader, writer), reader, writer)
            for each in found:
                assert each.witness is not None, (one, other, each)
                assert is_read(model(family, one), family, one, each.witness.data), (one, other, each)
                assert not is_read(model(family, other), family, one, each.witness.data), (one, other, each)
            if not check(reader, writer):
                assert prove(reader, writer) > 0
                for sample in samples(read_source(reader), read_source(writer)):
                    if sample.is_lawful:
                        assert is_read(model(family, one), family, one, sample.data), (one, sample.text)
                        assert is_read(model(family, other), family, one, sample.data), (one, other, sample.text)


def test_a_view_of_many_values_is_compared_in_time() -> None:
    def record(**said: Any) -> Any:
        return {"type": "record", "name": "Paid", "fields": [{"name": "value", "type": "double", "stamp": said}]}

    began = process_time()
    assert errors(record(enum=[each + 0.5 for each in range(1_000)]), record(finite=True))
    assert process_time() - began < 20  # of each pair of values it took hours


@pytest.mark.parametrize("written", [bytes, bool, Size, None])
def test_a_decimal_in_text_is_compared_with_what_is_no_text(written: Any) -> None:
    reader = avro_schema(create_model("Paid", value=(Annotated[Decimal, Field(le=9)] | None, ...)))
    assert list(check(reader, avro_schema(create_model("Paid", value=(written, ...))))) or written is None


def test_a_number_of_digits_that_would_fill_the_memory_is_not_written_out() -> None:
    def record(**said: Any) -> Any:
        return {"type": "record", "name": "Paid", "fields": [{"name": "value", "type": "string", "stamp": said}]}

    many = record(format="decimal", maxDigits=10**9, decimalPlaces=10**9)
    assert not check(many, many)
    assert errors(record(format="decimal", maxDigits=3), many)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fix_makes_the_view_take_what_is_written(family: str) -> None:
    for one in range(len(FAMILIES[family])):
        writer, reader = catalog(family, one)[0], catalog(family, 0)[0]
        for each in with_fixes(errors(writer, reader), writer, reader):
            assert each.fix is not None, (one, each)


@pytest.mark.parametrize("family", FAMILIES)
def test_data_of_a_schema_are_within_its_constraints(family: str) -> None:
    @given(st.data())
    @settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    def law(more: st.DataObject) -> None:
        number = more.draw(st.integers(0, len(FAMILIES[family]) - 1))
        schema = catalog(family, number)[0]
        assert is_read(model(family, number), family, number, more.draw(payloads(schema)))

    law()


@given(st.sampled_from(PAIRS), st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_what_the_writers_model_accepts_a_view_without_findings_accepts(
    pair: tuple[str, int, int], more: st.DataObject
) -> None:
    family, one, other = pair
    schema = catalog(family, one)[0]
    if check(catalog(family, other)[0], schema):
        return
    datum = more.draw(payloads(schema))
    if is_read(model(family, one), family, one, datum):  # not a text that no pattern is known to be found in
        assert is_read(model(family, other), family, one, datum)


@given(
    st.sampled_from([0.01, 0.1, 0.5, 1.0, 3.0, 1e-9]),
    st.one_of(st.floats(), st.integers(-(10**12), 10**12).map(lambda each: each / 100), st.sampled_from([1e9 + 0.07])),
)
def test_a_float_is_a_multiple_where_pydantic_takes_it_for_one(step: float, number: float) -> None:
    adapter = TypeAdapter(Annotated[float, Field(multiple_of=step)])
    try:
        adapter.validate_python(number)
    except ValidationError:
        is_taken = False
    else:
        is_taken = True
    assert is_satisfied(Type("double"), "multipleOf", step, number) is is_taken

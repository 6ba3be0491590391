"""The strategies keep their words, by the judgement of what they are meant to test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from stamp.compat import Severity, check
from stamp.errors import DecodeError, ResolutionError, SchemaError
from stamp.schema import avro_schema
from stamp.schema.decoder import decoder
from stamp.schema.lint import problems
from stamp.testing.evolution import STEPS, Effect, Step, evolve, write
from stamp.testing.outline import Outline
from stamp.testing.strategies import Evolution, data, evolutions, payloads, schemas

slow_to_begin = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


class Ticket(BaseModel):
    ticket_id: str
    opened: datetime
    price: Annotated[Decimal, Field(max_digits=9, decimal_places=2)] | None
    tags: list[str]


def errors(evolution: Evolution) -> list[str]:
    return [each.rule for each in check(evolution.new, evolution.old) if each.severity is Severity.ERROR]


def choices(seed: int) -> Any:
    return Random(seed).choice


# -- schemas


@given(schemas(recursion=True))
@slow_to_begin
def test_schemas_are_legal_and_read_themselves(schema: Any) -> None:
    assert problems(schema, recursion=True) == []
    assert check(schema, schema) == ()


@given(schemas(record=True))
@slow_to_begin
def test_schemas_for_contracts_are_records_without_recursion(schema: Any) -> None:
    assert problems(schema) == []
    assert schema["type"] == "record"


FEATURES = [
    *('"namespace"', '"aliases"', '"default"', "timestamp-micros", "decimal", '"uuid"', '"duration"', "nanos"),
    *('"enum"', '"fixed"', '"map"', '"array"', '["null"', '"symbols"', '"items"'),
]


@pytest.mark.parametrize("feature", FEATURES)
def test_schemas_have_all_that_avro_has(feature: str) -> None:
    assert any(feature in json.dumps(write(choices(seed))) for seed in range(400))


def test_schemas_may_have_recursion() -> None:
    found = [bool(problems(write(choices(seed), recursion=True))) for seed in range(200)]
    assert 10 < sum(found) < 190


def test_a_schema_that_fails_is_made_small() -> None:
    has_record_in_array = find(
        schemas(), lambda schema: "record" in json.dumps(schema) and "array" in json.dumps(schema)
    )
    assert len(json.dumps(has_record_in_array)) < 220


@given(schemas(recursion=True))
@slow_to_begin
def test_an_outline_gives_its_schema_back(schema: Any) -> None:
    assert Outline.of(schema).schema() == schema


# -- data


@given(schemas(recursion=True), st.data())
@slow_to_begin
def test_payloads_are_data_of_their_schema(schema: Any, more: st.DataObject) -> None:
    decoder(schema)(more.draw(payloads(schema)))


@given(data(avro_schema(Ticket)))
def test_data_are_what_a_model_takes(values: dict[str, Any]) -> None:
    assert Ticket.model_validate(values).model_dump() == values


@pytest.mark.parametrize(
    ("schema", "seen"),
    [
        (["null", "int"], {type(None), int}),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, {str}),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, {Decimal}),
        ('{"type": "array", "items": "string"}', {list}),
    ],
)
def test_data_are_the_values_of_the_type(schema: Any, seen: set[type]) -> None:
    for each in seen:
        find(data(schema), lambda value, wanted=each: isinstance(value, wanted))
    find(data(schema), lambda value: type(value) in seen)


def test_data_without_end_are_refused() -> None:
    with pytest.raises(SchemaError):
        payloads({"type": "record", "name": "R", "fields": [{"name": "x", "type": "Nowhere"}]})
    with pytest.raises(SchemaError, match="expected data that can end"):
        payloads({"type": "record", "name": "R", "fields": [{"name": "x", "type": "R"}]})


# -- evolutions


@given(evolutions(recursion=True))
@slow_to_begin
def test_legal_evolutions_are_read_whole(evolution: Evolution) -> None:
    assert evolution.steps
    assert errors(evolution) == []


@given(evolutions(avro_schema(Ticket)), st.data())
@slow_to_begin
def test_data_of_the_past_are_decoded_after_a_legal_evolution(evolution: Evolution, more: st.DataObject) -> None:
    assert problems(evolution.new) == []
    assert errors(evolution) == []
    decoder(evolution.old, evolution.new)(more.draw(payloads(evolution.old)))


@given(evolutions(legal=False, recursion=True))
@slow_to_begin
def test_illegal_evolutions_have_an_error(evolution: Evolution) -> None:
    assert errors(evolution)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_step_does_what_it_says(step: Step) -> None:
    seen = Counter[str]()
    for seed in range(400):
        choose = choices(seed)
        schema = write(choose, record=True, recursion=seed % 2 == 0)
        before = json.dumps(schema)
        evolution = evolve(schema, choose, steps=[step], most=1, recursion=True)
        assert json.dumps(schema) == before
        if not evolution.steps:
            continue
        assert problems(evolution.new, recursion=True) == []
        assert bool(errors(evolution)) is (step.effect is Effect.BREAKING), evolution
        seen.update(evolution.steps)
        if seen[step.name] == 12:
            return
    pytest.fail(f"{step.name} was done {seen[step.name]} times in 400 schemas")


def test_safe_steps_are_safe_together() -> None:
    legal = [step for step in STEPS if step.effect is Effect.LEGAL]
    for seed in range(300):
        choose = choices(seed)
        evolution = evolve(write(choose, recursion=True), choose, steps=legal, most=6, recursion=True)
        assert errors(evolution) == [], evolution


def test_the_schema_of_an_evolution_stays_as_it_is() -> None:
    schema = avro_schema(Ticket)
    before = json.dumps(schema)

    @given(evolutions(schema, legal=False))
    @slow_to_begin
    def law(evolution: Evolution) -> None:
        assert evolution.old == json.loads(before)

    law()
    assert json.dumps(schema) == before


def test_a_breaking_evolution_is_felt_by_data() -> None:
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "x", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}}],
    }

    def fails(evolution: Evolution) -> bool:
        for datum in (b"\0", b"\2"):
            try:
                decoder(evolution.old, evolution.new)(datum)
            except (ResolutionError, DecodeError):
                return True
        return False

    @given(evolutions(schema, legal=False))
    @slow_to_begin
    def law(evolution: Evolution) -> None:
        assert fails(evolution)

    law()


def test_hypothesis_is_imported_by_its_strategies_only() -> None:
    code = "import sys, stamp.testing, stamp.testing.evolution; sys.exit('hypothesis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


NOTHING: list[Any] = [
    {"type": "enum", "name": "E", "symbols": []},
    [],
    {"type": "record", "name": "R", "fields": [{"name": "x", "type": []}]},
]


@pytest.mark.parametrize("schema", NOTHING)
def test_of_types_without_values_there_are_no_data(schema: Any) -> None:
    for strategy in (payloads, data, evolutions):
        with pytest.raises(
            SchemaError, match=r"expected (a schema that has data|data that can end|types that all have values)"
        ):
            strategy(schema)

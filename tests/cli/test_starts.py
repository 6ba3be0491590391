"""A line becomes a first event that says exactly what the line says, or it is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from stamp import Envelope, Workflow
from stamp.cli.json_bytes import validator
from stamp.cli.json_object import with_exact_numbers, without
from stamp.cli.lines import Line
from stamp.cli.starts import Starts, starting_step
from stamp.cli.target import load
from stamp.envelope.document import document, plain
from stamp.errors import InputError, StampError

KEYS = st.text(max_size=4) | st.just("workflow_id")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_an_object_without_a_key_is_the_object_without_that_key(value, indent, ensure_ascii):
    text = json.dumps(value, indent=indent, ensure_ascii=ensure_ascii)
    assert json.loads(without(text, "workflow_id")) == {k: v for k, v in value.items() if k != "workflow_id"}


def test_what_is_left_of_an_object_is_left_as_it_is_written():
    text = ' { "a" :1.10e+02 , "workflow_id":{"workflow_id":[1,"}"]}, "b\\u0041":[ 1,2 ] } '
    assert without(text, "workflow_id") == '{"a" :1.10e+02,"b\\u0041":[ 1,2 ]}'


@given(VALUES, st.sampled_from([None, 2]))
def test_what_a_double_holds_stays_a_number(value, indent):
    text = json.dumps(value, indent=indent)
    assert with_exact_numbers(text) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=12))
def test_a_number_keeps_its_digits(number):
    [text] = json.loads(with_exact_numbers(f"[{number:f}]"), parse_float=Decimal, parse_int=Decimal)
    assert Decimal(text) == number


@pytest.fixture
def start(small: str):
    """Return `start(line)`: the state that the first event of a line of `order` has."""
    workflow = load(f"{small}:order")
    starts = Starts(workflow, starting_step(workflow))

    def run(line: Any, number: int = 1) -> dict[str, Any]:
        data = line if isinstance(line, bytes) else line.encode()
        first = starts.start(Line(number, data))
        envelope = Envelope.from_bytes(first.body, catalog=workflow.catalog)
        return {"id": envelope.workflow_id, **envelope.state()}

    return run


@pytest.mark.parametrize(
    ("fields", "field", "value"),
    [
        ('"amount": 12345678901234567890.123456789', "amount", Decimal("12345678901234567890.123456789")),
        ('"amount": "12345678901234567890.123456789"', "amount", Decimal("12345678901234567890.123456789")),
        ('"amount": 0.1', "amount", Decimal("0.1")),
        ('"amount": 5', "amount", Decimal(5)),
        ('"amount": 123456789012345678901234567890', "amount", Decimal(123456789012345678901234567890)),
        ('"big": 9223372036854775807', "big", 2**63 - 1),
        ('"weight": 0.1000000000000000055511151231257827', "weight", 0.1),
        ('"do": "\\u0000\\ud83d\\ude00 \\u0085"', "do", "\0\U0001f600 \u0085"),
    ],
)
def test_nothing_of_a_value_is_lost(start, fields, field, value):
    assert start(f'{{{fields}, "workflow_id": "1"}}')[field] == value


def test_times_come_from_texts(start):
    at = start('{"workflow_id": "1", "at": "2026-03-02T01:21:26.123456-05:00"}')["at"]
    assert at.isoformat() == "2026-03-02T06:21:26.123456+00:00"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "expected JSON: Expecting value at column 1"),
        ("[1]", "expected a JSON object, got [1]"),
        ("null", "expected a JSON object, got null"),
        (b'{"workflow_id": "\xff"}', "expected UTF-8: invalid start byte (at byte 17)"),
        ("{}", "workflow_id: expected the id of the run, a string that is not empty, got none"),
        ('{"workflow_id": 4729}', "workflow_id: expected the id of the run, a string that is not empty, got 4729"),
        ('{"workflow_id": ""}', 'workflow_id: expected the id of the run, a string that is not empty, got ""'),
        ('{"workflow_id": null}', "got null"),
        ('{"workflow_id": "\\ud800"}', "workflow_id: expected Unicode text, got half of a surrogate pair"),
        ('{"workflow_id": "1", "workflow_id": "2"}', "the key 'workflow_id' comes twice in one object"),
        ('{"workflow_id": "1", "do": "\\udc00"}', "do: expected Unicode text, got half of a surrogate pair"),
        ('{"workflow_id": "1", "weight": 1e400}', "weight: expected a finite number, got inf"),
        ('{"workflow_id": "1", "weight": NaN}', "NaN is no JSON number"),
        ('{"workflow_id": "1", "weight": "heavy"}', 'weight: expected a valid number, unable to parse string as a number, got "heavy"'),
        ('{"workflow_id": "1", "big": 9223372036854775808}', "big"),
        ('{"workflow_id": "1", "amount": 0.12345678901}', "no more than 10 decimal places"),
        ('{"workflow_id": "1", "at": "yesterday"}', "at: expected a valid datetime"),
        ('{"workflow_id": "1", "amuont": 1}', "amuont: expected a field that the model has, got another one"),
        ('{"workflow_id": "1", "address": {"city": "Ulm"}}', "address.street: expected a value, got none"),
        ('{"workflow_id": "1", "address": {"street": "a", "zip": 1}}', "address.zip: expected a field that the model has"),
        ('{"workflow_id": "1", "address": 5, "do": 6}', "address: expected an object, got 5; do: expected a valid string, got 6"),
        ('{"workflow_id": "%s"}' % ("x" * 300_000), "expected an envelope of at most 262144 bytes"),
        ("[" * 100_000, "expected"),
    ],
)  # fmt: skip
def test_a_bad_line_is_refused(start, line, said):
    with pytest.raises(StampError) as caught:
        start(line)
    assert said in str(caught.value)


def test_an_id_is_taken_once_and_a_bad_line_takes_none(start):
    with pytest.raises(InputError):
        start('{"workflow_id": "1", "do": 5}', number=3)
    assert start('{"workflow_id": "1"}', number=4)["id"] == "1"
    with pytest.raises(InputError, match='workflow_id: expected an id of its own, got "1" as on line 4'):
        start('{"workflow_id": "1"}', number=5)


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(start):
    assert start(b'\xef\xbb\xbf{"workflow_id": "1"}', number=1)["id"] == "1"
    with pytest.raises(InputError, match="BOM"):
        start(b'\xef\xbb\xbf{"workflow_id": "2"}', number=2)


def test_a_model_may_have_the_id_as_a_field(tmp_path):
    class Order(BaseModel):
        workflow_id: str

    workflow = Workflow("order", contracts=tmp_path)
    workflow.starts("order", Order, emits="Ordered")
    first = Starts(workflow, starting_step(workflow)).start(Line(1, b'{"workflow_id": "7"}'))
    envelope = Envelope.from_bytes(first.body, catalog=workflow.catalog)
    assert (envelope.workflow_id, envelope.state()) == ("7", {"workflow_id": "7"})


@pytest.mark.parametrize(
    ("workflow", "name", "said"),
    [
        ("order", None, None),
        ("order", "order", None),
        ("order", "work", "--start: expected a step that starts order (order), got 'work'"),
        ("two_starts", None, "expected one step that starts two, got one, other: choose with --start"),
        ("two_starts", "other", None),
        ("two_starts", "third", "--start: expected a step that starts two (one, other), got 'third'"),
    ],
)
def test_the_starting_step(small, workflow, name, said):
    found = load(f"{small}:{workflow}")
    if said is None:
        assert starting_step(found, name).handler is None
    else:
        with pytest.raises(InputError) as caught:
            starting_step(found, name)
        assert str(caught.value) == said


def test_a_workflow_without_a_start_cannot_be_played(tmp_path):
    with pytest.raises(InputError, match="expected one step that starts order, got none"):
        starting_step(Workflow("order", contracts=tmp_path))


class Part(BaseModel):
    key: Annotated[bytes, Field(min_length=1, max_length=3)]
    rest: dict[str, bytes] = {}


class Tree(BaseModel):
    own: bytes
    below: list[Tree] = []


class Parcel(BaseModel):
    body: bytes
    maybe: bytes | None
    parts: list[Part]
    tree: Tree
    number: Decimal = Decimal("0.00")
    at: timedelta = timedelta()


parcels = st.builds(
    Parcel,
    body=st.binary(max_size=5) | st.sampled_from([b"cafe", b"\xff", b"\xc3\xbf"]),
    maybe=st.none() | st.binary(max_size=3),
    parts=st.lists(
        st.builds(
            Part, key=st.binary(min_size=1, max_size=3), rest=st.dictionaries(st.text("ab"), st.binary(max_size=2))
        ),
        max_size=2,
    ),
    tree=st.builds(
        Tree, own=st.binary(max_size=2), below=st.lists(st.builds(Tree, own=st.binary(max_size=2)), max_size=2)
    ),
    number=st.decimals(-99, 99, places=2),
    at=st.timedeltas(timedelta(days=-9), timedelta(days=9)),
)

post = Workflow("post", contracts="/nowhere")


class Flat(BaseModel):
    """Avro has no recursion in contracts: the tree stays out."""

    body: bytes
    maybe: bytes | None
    parts: list[Part]


post.starts("parcel", Flat, emits="Posted")


@given(parcels)
def test_bytes_go_in_as_they_come_out(parcel):
    flat = Flat(body=parcel.body, maybe=parcel.maybe, parts=parcel.parts)
    first = post.start(flat, workflow_id="1")
    [shown] = document(Envelope.from_bytes(first.body, catalog=post.catalog))["contributions"]
    line = json.dumps({"workflow_id": "1", **shown["data"]}).encode()
    again = Starts(post, starting_step(post)).start(Line(1, line))
    [said] = Envelope.from_bytes(again.body).contributions
    assert said.payload == Envelope.from_bytes(first.body).contributions[0].payload


@given(parcels)
def test_bytes_are_read_as_digits_however_deep_they_are(parcel):
    text = json.dumps(plain(parcel.model_dump()))
    assert validator(Parcel).validate_json(text) == parcel


@pytest.mark.parametrize("given", ["hello", "abc", "ab cd", "0x00", "é"])
def test_what_is_no_digits_is_no_bytes(given):
    line = json.dumps({"workflow_id": "1", "body": given, "maybe": None, "parts": []}).encode()
    with pytest.raises(InputError, match=r"body: expected bytes in hexadecimal digits, as `stamp decode"):
        Starts(post, starting_step(post)).start(Line(1, line))


def test_a_model_without_bytes_is_read_by_itself():
    class Plain(BaseModel):
        text: str = "bytes"

    assert validator(Plain) is Plain.__pydantic_validator__

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, localcontext
from enum import Enum, IntEnum, StrEnum
from io import BytesIO
from ipaddress import IPv4Address, IPv6Network
from pathlib import PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypeVar
from uuid import UUID

import avro.io
import avro.schema
import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, IPvAnyAddress, NaiveDatetime, RootModel, create_model

from stamp.errors import EncodeError
from stamp.schema import avro_schema, bind, decoder

T = TypeVar("T")


class Color(Enum):
    RED = "light red"
    BLUE = 2


class Level(IntEnum):
    LOW = 1
    HIGH = 10


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    age: int = 1


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    age: int = 1


class Puppy(Dog):
    weight: float = 1.0


class Anything(BaseModel):
    a: int | None = None


class Something(BaseModel):
    a: int | None = None
    b: int | None = None


class Box(BaseModel, Generic[T]):
    thing: T


class Tags(RootModel[list[str]]):
    pass


class Tree(BaseModel):
    value: int = 0
    left: Optional[Tree] = None
    children: list[Tree | str] = []


class Renamed(BaseModel):
    from_: int = Field(alias="from")
    hidden: str = Field("", exclude=True)
    to: int = Field(1, validation_alias="until")


class Raw(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    color: Color
    moods: list[Mood]
    either: Level | str | None


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)
    tags: frozenset[str]
    path: PurePosixPath
    color: Color
    cats: tuple[Cat, ...]


def same(value):
    return value


class Case(NamedTuple):
    """An annotation, its values, and what they are in Avro."""

    annotation: Any
    values: st.SearchStrategy[Any]
    datum: Callable[[Any], Any] = same


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-100, 100)
INSTANTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=30))])).filter(
    lambda value: 1 < value.year < 9999
)
FLOATS = st.floats(allow_nan=False)
SIZED = Annotated[Decimal, Field(max_digits=9, decimal_places=2)]
MICROSECOND = timedelta(microseconds=1)
DURATIONS = st.timedeltas(timedelta(days=-(10**8)), timedelta(days=10**8))
CATS = st.builds(Cat, age=LONGS)
DOGS = st.builds(Dog, age=LONGS)
TREES = st.recursive(
    st.builds(Tree, value=LONGS),
    lambda trees: st.builds(Tree, value=LONGS, left=trees, children=st.lists(trees | TEXT, max_size=3)),
    max_leaves=8,
)


def fields(model):
    return dict(model)


def tree(value):
    return {
        "value": value.value,
        "left": None if value.left is None else tree(value.left),
        "children": [each if isinstance(each, str) else tree(each) for each in value.children],
    }


def renamed(value):
    return {"from": value.from_, "until": value.to}


def lowercase(value):
    return value.name if isinstance(value, Enum) else fields(value) if isinstance(value, BaseModel) else value


CASES = {
    "boolean": Case(bool, st.booleans()),
    "long": Case(int, LONGS),
    "double": Case(float, FLOATS),
    "string": Case(str, TEXT),
    "bytes": Case(bytes, st.binary(max_size=100)),
    "null": Case(None, st.none()),
    "timestamp": Case(datetime, INSTANTS),
    "local timestamp": Case(NaiveDatetime, st.datetimes()),
    "date": Case(date, st.dates()),
    "time": Case(time, st.times()),
    "timedelta": Case(timedelta, DURATIONS, lambda value: value // MICROSECOND),
    "uuid": Case(UUID, st.uuids()),
    "any decimal": Case(Decimal, st.decimals(allow_nan=False, allow_infinity=False), str),
    "sized decimal": Case(SIZED, st.decimals("-9999999.99", "9999999.99", places=2)),
    "scale 0": Case(
        Annotated[Decimal, Field(max_digits=40, decimal_places=0)], st.integers(-(10**40) + 1, 10**40 - 1).map(Decimal)
    ),
    "URL": Case(HttpUrl, st.sampled_from(["https://example.com/", "http://a.b/c?d=é"]).map(HttpUrl), str),
    "address": Case(IPv4Address, st.ip_addresses(v=4), str),
    "any address": Case(IPvAnyAddress, st.ip_addresses(), str),
    "network": Case(IPv6Network, st.just(IPv6Network("2001:db8::/32")), str),
    "path": Case(PurePosixPath, st.sampled_from(["a/b", "/", "ä"]).map(PurePosixPath), str),
    "enum": Case(Color, st.sampled_from(Color), lambda value: value.name),
    "int enum": Case(Level, st.sampled_from(Level), lambda value: value.name),
    "str enum": Case(Mood, st.sampled_from(Mood), lambda value: value.name),
    "Literal": Case(Literal["a", "b"], st.sampled_from(["a", "b"])),
    "Literal of members": Case(Literal[Color.RED], st.just(Color.RED), lambda value: value.name),
    "list": Case(list[int], st.lists(LONGS)),
    "long list": Case(list[bool], st.integers(60, 70).map(lambda size: [True] * size)),
    "Sequence": Case(Sequence[str], st.lists(TEXT)),
    "deque": Case(deque[int], st.lists(LONGS).map(deque), list),
    "tuple of any size": Case(tuple[date, ...], st.lists(st.dates()).map(tuple), list),
    "set": Case(set[int], st.sets(LONGS), sorted),
    "set of str": Case(set[str], st.sets(TEXT), sorted),
    "frozenset": Case(frozenset[date], st.frozensets(st.dates()), sorted),
    "map": Case(dict[str, bytes], st.dictionaries(TEXT, st.binary())),
    "Mapping": Case(Mapping[str, list[int]], st.dictionaries(TEXT, st.lists(LONGS))),
    "tuple": Case(tuple[int, str], st.tuples(LONGS, TEXT), lambda value: {"_0": value[0], "_1": value[1]}),
    "tuple of one": Case(tuple[int], st.tuples(LONGS), lambda value: {"_0": value[0]}),
    "list of tuples": Case(
        list[tuple[int, tuple[str, str]]],
        st.lists(st.tuples(LONGS, st.tuples(TEXT, TEXT))),
        lambda value: [{"_0": each[0], "_1": {"_0": each[1][0], "_1": each[1][1]}} for each in value],
    ),
    "optional": Case(int | None, st.none() | LONGS),
    "bool or int": Case(bool | int, st.booleans() | LONGS),
    "int or float": Case(int | float | None, st.none() | LONGS | FLOATS),
    "int or enum": Case(int | Level, LONGS | st.sampled_from(Level), lowercase),
    "str or enum": Case(str | Mood, TEXT | st.sampled_from(Mood), lowercase),
    "two enums": Case(Color | Mood, st.sampled_from(Color) | st.sampled_from(Mood), lowercase),
    "date or datetime": Case(date | datetime, st.dates() | INSTANTS),
    "int or Decimal": Case(
        int | Decimal,
        LONGS | st.decimals(allow_nan=False, allow_infinity=False),
        lambda value: value if isinstance(value, int) else str(value),
    ),
    "int or text": Case(
        int | PurePosixPath,
        LONGS | st.just(PurePosixPath("5")),
        lambda value: value if isinstance(value, int) else str(value),
    ),
    "set or str": Case(
        set[int] | str | None,
        st.none() | st.sets(LONGS) | TEXT,
        lambda value: sorted(value) if isinstance(value, set) else value,
    ),
    "root model or int": Case(
        Tags | int,
        LONGS | st.lists(TEXT).map(Tags),
        lambda value: value if isinstance(value, int) else value.root,
    ),
    "model": Case(Cat, CATS, fields),
    "models": Case(
        list[Cat | Dog | None],
        st.lists(CATS | DOGS | st.none()),
        lambda value: [each and fields(each) for each in value],
    ),
    "models with a discriminator": Case(Annotated[Cat | Dog, Field(discriminator="kind")], CATS | DOGS, fields),
    "models that pydantic cannot tell apart": Case(
        Anything | Something, st.builds(Anything, a=LONGS) | st.builds(Something, a=LONGS), fields
    ),
    "model or map": Case(
        Anything | dict[str, int],
        st.builds(Anything, a=LONGS) | st.dictionaries(TEXT, LONGS),
        dict,
    ),
    "model or its subclass": Case(Dog | Puppy, DOGS | st.builds(Puppy, age=LONGS, weight=FLOATS), fields),
    "generic": Case(
        Box[Box[int]],
        LONGS.map(lambda value: Box[Box[int]](thing=Box[int](thing=value))),
        lambda value: {"thing": fields(value.thing)},
    ),
    "recursive": Case(Tree, TREES, tree),
    "RootModel": Case(Tags, st.lists(TEXT).map(Tags), lambda value: value.root),
    "other names": Case(Renamed, LONGS.map(lambda value: Renamed.model_validate({"from": value})), renamed),
    "enum values": Case(
        Raw,
        st.sampled_from(
            [{"color": Color.RED, "moods": ["good"], "either": 10}, {"color": 2, "moods": [], "either": "a"}]
        ).map(Raw.model_validate),
        lambda value: {
            "color": {"light red": "RED", 2: "BLUE"}[value.color],
            "moods": [each.upper() for each in value.moods],
            "either": {10: "HIGH"}.get(value.either, value.either),
        },
    ),
    "strict": Case(
        Strict,
        st.just(Strict(tags=frozenset({"b", "a"}), path=PurePosixPath("a"), color=Color.RED, cats=(Cat(),))),
        lambda value: {"tags": ["a", "b"], "path": "a", "color": "RED", "cats": [fields(value.cats[0])]},
    ),
}

MODELS = {name: create_model("M", x=(case.annotation, ...)) for name, case in CASES.items()}
BINDINGS = {name: bind(model) for name, model in MODELS.items()}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_back(name, data):
    value = data.draw(CASES[name].values)
    instance = MODELS[name](x=value)
    written = BINDINGS[name].encode(instance)
    expected = {"x": CASES[name].datum(instance.x)}
    assert read_by_fastavro(name, written) == expected
    assert read_by_apache(name, written) == fastavro_datum(bare(avro_schema(MODELS[name])), written)
    again = read_by_us(name, written)
    assert again == instance
    assert type(again.x) is type(instance.x)
    assert BINDINGS[name].encode(again) == written


PARSED = {name: fastavro.parse_schema(avro_schema(model)) for name, model in MODELS.items()}
DECODERS = {name: decoder(avro_schema(model), BINDINGS[name].schema) for name, model in MODELS.items()}


def read_by_fastavro(name, written):
    stream = BytesIO(written)
    datum = fastavro.schemaless_reader(stream, PARSED[name], None)
    assert not stream.read()
    return datum


def read_by_us(name, written):
    return MODELS[name].model_validate(DECODERS[name](written), strict=False, by_alias=True, by_name=True)


def bare(schema):
    if isinstance(schema, dict):
        return {key: bare(value) for key, value in schema.items() if key not in {"logicalType", "precision", "scale"}}
    return [bare(each) for each in schema] if isinstance(schema, list) else schema


def read_by_apache(name, written):
    schema = avro.schema.parse(json.dumps(bare(avro_schema(MODELS[name]))))
    return avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(BytesIO(written)))


def test_a_view_reads_what_its_own_unions_cannot_tell_apart():
    """Decoding gives a model, where two fit: pydantic alone would take the first."""
    name = "models that pydantic cannot tell apart"
    written = BINDINGS[name].encode(MODELS[name](x=Something(a=1)))
    assert type(read_by_us(name, written).x) is Something


# -- what is refused -----------------------------------------------------------------------------------------------------------------

NAIVE = datetime(2020, 1, 1)
AWARE = datetime(2020, 1, 1, tzinfo=UTC)

STRICT = [
    (bool, 1, "a bool, got int 1"),
    (bool, "", "a bool, got str ''"),
    (int, True, "an int, got bool True"),
    (int, 1.0, "an int, got float 1.0"),
    (int, "1", "an int, got str '1'"),
    (int, None, "an int, got None"),
    (int, 2**63, "64 bits"),
    (int, -(2**63) - 1, "64 bits"),
    (int, 1 << 5000, "64 bits"),
    (float, True, "a float, got bool True"),
    (float, "1", "a float, got str"),
    (float, 2**53 + 1, "an int that a float holds exactly"),
    (float, 10**400, "a float"),
    (str, b"a", "a str, got bytes b'a'"),
    (str, "\ud800", "lone surrogates"),
    (bytes, "a", "bytes, got str 'a'"),
    (bytes, bytearray(b"a"), "bytes, got bytearray"),
    (datetime, NAIVE, "a datetime with a time zone"),
    (datetime, date(2020, 1, 1), "a datetime, got date"),
    (datetime, datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "years 1 to 9999"),
    (datetime, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "years 1 to 9999"),
    (NaiveDatetime, AWARE, "without time zone"),
    (date, AWARE, "a date, got datetime"),
    (time, time(1, tzinfo=UTC), "without time zone"),
    (timedelta, 1, "a timedelta, got int"),
    (timedelta, timedelta.max, "64 bits"),
    (UUID, "00000000-0000-0000-0000-000000000001", "a UUID, got str"),
    (Decimal, 1.5, "a Decimal, got float"),
    (Decimal, True, "a Decimal, got bool"),
    (SIZED, Decimal("0.001"), "2 of them after the point"),
    (SIZED, Decimal(10000000), "at most 9 digits"),
    (SIZED, Decimal("1E+999999"), "at most 9 digits"),
    (SIZED, Decimal("1E-999999"), "2 of them after the point"),
    (SIZED, Decimal("NaN"), "a Decimal of"),
    (SIZED, Decimal("-Infinity"), "a Decimal of"),
    (HttpUrl, "nonsense", "HttpUrl, got str"),
    (IPv4Address, 1, "IPv4Address, got int"),
    (Color, "light red", "a member of Color, got str"),
    (Color, Mood.GOOD, "a member of Color, got Mood"),
    (Color, [], "a member of Color, got list"),
    (Mood, "good", "a member of Mood, got str"),
    (Literal[Color.RED], Color.BLUE, "a member of Color among RED"),
    (Literal["a", "b"], "c", "'a' or 'b', got str 'c'"),
    (Literal[1], True, "1, got bool True"),
    (Literal["a"], [], "'a', got list"),
    (list[int], (1,), "a list, got tuple"),
    (list[str], "abc", "a list, got str"),
    (Sequence[str], "abc", "a list or tuple or deque, got str"),
    (set[int], [1], "a set, got list"),
    (dict[str, int], [("a", 1)], "a dict, got list"),
    (tuple[int, str], (1,), "a tuple of 2, got tuple"),
    (tuple[int, str], [1, "a"], "a tuple of 2, got list"),
    (int | str | None, 1.5, "NoneType or int or str, got float"),
    (int | None, "1", "an int, got str"),
    (bool | str, 1, "bool or str, got int"),
    (date | str, AWARE, "a date, got datetime"),
    (Cat, {"kind": "cat"}, "an instance of Cat, got dict"),
    (Cat, Dog(), "an instance of Cat, got Dog"),
    (Cat | Dog, Anything(), "Cat or Dog, got Anything"),
    (Tags, ["a"], "an instance of Tags, got list"),
    (Dog, Puppy(), "an instance of Dog itself, got one of its subclass Puppy"),
    (Cat | Dog, Puppy(), "an instance of Dog itself, got one of its subclass Puppy"),
    (Dog | None, Puppy(), "write `Dog | Puppy` where both may be"),
    (
        Tags,
        create_model("MoreTags", __base__=Tags)(["a"]),
        "an instance of Tags itself, got one of its subclass MoreTags",
    ),
]


@pytest.mark.parametrize(("annotation", "value", "reason"), STRICT)
def test_value_that_does_not_fit_is_refused(annotation, value, reason):
    model = create_model("M", x=(annotation, ...))
    out = bytearray(b"before")
    with pytest.raises(EncodeError) as caught:
        bind(model).write(model.model_construct(x=value), out)
    assert caught.value.path == "M.x"
    assert caught.value.message.startswith("expected ")
    assert reason in caught.value.message
    assert out == b"before"


LENIENT = [
    (float, 1, 1.0),
    (float | None, 1, 1.0),
    (float | str, 1, 1.0),
    (Decimal, 1, Decimal(1)),
    (SIZED, 1, Decimal(1)),
    (SIZED, Decimal("1.500"), Decimal("1.5")),
    (SIZED, Decimal("-0.0"), Decimal(0)),
    (SIZED, Decimal("1E+2"), Decimal(100)),
    (int, Level.HIGH, 10),
    (str, Mood.GOOD, "good"),
    (HttpUrl, "https://example.com", HttpUrl("https://example.com")),
    (date | None, date(2020, 1, 1), date(2020, 1, 1)),
]


@pytest.mark.parametrize(("annotation", "given", "meant"), LENIENT)
def test_value_that_fits_exactly_is_written_as_its_type(annotation, given, meant):
    model = create_model("M", x=(annotation, ...))
    binding = bind(model)
    assert binding.encode(model.model_construct(x=given)) == binding.encode(model.model_construct(x=meant))


class Line(BaseModel):
    price: SIZED
    notes: dict[str, list[str]] = {}


class Order(BaseModel):
    lines: list[Line] = []
    main: Line | None = None
    pair: tuple[int, Line] | None = None
    names: set[str] = set()


WRONG_LINE = Line.model_construct(price=Decimal("0.001"), notes={})

PATHS = [
    ({"lines": [Line(price=Decimal(1)), WRONG_LINE]}, "Order.lines[1].price"),
    ({"lines": [1]}, "Order.lines[0]"),
    ({"main": WRONG_LINE}, "Order.main.price"),
    ({"pair": (1, WRONG_LINE)}, "Order.pair[1].price"),
    ({"main": Line.model_construct(price=Decimal(1), notes={"a": [], "b": ["", 1]})}, "Order.main.notes['b'][1]"),
    ({"main": Line.model_construct(price=Decimal(1), notes={"a": [], 5: []})}, "Order.main.notes[5]"),
    ({"names": {1}}, "Order.names[0]"),
    ({"names": {1, "a"}}, "Order.names"),
]


@pytest.mark.parametrize(("fields", "path"), PATHS)
def test_error_says_where(fields, path):
    with pytest.raises(EncodeError) as caught:
        bind(Order).encode(Order.model_construct(**Order().__dict__ | fields))
    assert caught.value.path == path or (path == "Order.names" and caught.value.path.startswith(path))
    assert str(caught.value).startswith(path)


def test_missing_field_is_refused():
    with pytest.raises(EncodeError, match=r"Line\.price: expected a value, got none"):
        bind(Line).encode(Line.model_construct(notes={}))


def test_another_model_is_refused():
    with pytest.raises(EncodeError, match=r"^Order: expected an instance of Order, got Line"):
        bind(Order).encode(Line(price=Decimal(1)))


def test_what_never_ends_is_refused():
    tree = Tree()
    tree.left = tree
    out = bytearray()
    with pytest.raises(EncodeError, match="nested too deep"):
        bind(Tree).write(tree, out)
    assert not out


def test_decimals_do_not_depend_on_the_context():
    model = create_model("M", x=(Annotated[Decimal, Field(max_digits=60, decimal_places=30)], ...))
    value = Decimal("123456789012345678901234567890.123456789012345678901234567890")
    with localcontext(prec=5):
        written = bind(model).encode(model.model_construct(x=value))
    assert fastavro_datum(avro_schema(model), written) == {"x": value}


def fastavro_datum(schema, written):
    return fastavro.schemaless_reader(BytesIO(written), fastavro.parse_schema(schema), None)


# -- determinism ---------------------------------------------------------------------------------------------------------------------

SCRIPT = """
import json
from decimal import Decimal
from enum import Enum
from pydantic import BaseModel
from stamp.schema import avro_schema, bind

class Color(Enum):
    RED = 1
    BLUE = 2
    GREEN = 3

class M(BaseModel):
    texts: set[str]
    pairs: frozenset[tuple[str, int]]
    mixed: set[int | str | None]
    sets: frozenset[frozenset[str]]
    colors: set[Color]
    floats: set[float]
    decimals: set[Decimal]

words = [f"word{n}" for n in range(50)]
m = M(
    texts=words, pairs=[(word, 1) for word in words], mixed=[*words, None, 5, -5], sets=[words[:n] for n in range(9)],
    colors=list(Color), floats=[1.5, -2.5, 0.0], decimals=["1.5", "-3"],
)
print(json.dumps(avro_schema(M)), bind(M).encode(m).hex())
"""


def test_equal_sets_give_equal_bytes_in_every_process():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_sets_are_in_the_order_of_their_values():
    model = create_model("M", x=(set[int], ...))
    assert fastavro_datum(avro_schema(model), bind(model).encode(model(x={5, -1, 1000}))) == {"x": [-1, 5, 1000]}


# -- bytes ---------------------------------------------------------------------------------------------------------------------------

BYTES = [
    (int, 0, "00"),
    (int, -1, "01"),
    (int, 63, "7e"),
    (int, -64, "7f"),
    (int, 64, "8001"),
    (int, 2**63 - 1, "feffffffffffffffff01"),
    (int, -(2**63), "ffffffffffffffffff01"),
    (int, 2**48, "80808080808080" + "01"),
    (bool, True, "01"),
    (float, 1.0, "000000000000f03f"),
    (str, "é", "04c3a9"),
    (str, "a" * 64, "8001" + "61" * 64),
    (list[int], [], "00"),
    (list[int], [1, 2], "04020400"),
    (dict[str, int], {"a": 1}, "0202610200"),
    (int | None, None, "00"),
    (int | None, 1, "0202"),
    (SIZED, Decimal("1.27"), "027f"),
    (SIZED, Decimal("1.28"), "040080"),
    (SIZED, Decimal("-1.28"), "0280"),
    (Color, Color.BLUE, "02"),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), BYTES)
def test_bytes_are_those_of_the_specification(annotation, value, expected):
    model = create_model("M", x=(annotation, ...))
    assert bind(model).encode(model(x=value)).hex() == expected

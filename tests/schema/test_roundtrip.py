"""What is written is read as the same value, or is not written at all.

Each value here makes one hop through one model: it is written, and read by a view that is the same class.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import MutableSequence, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path, PurePath, PureWindowsPath
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AfterValidator,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FutureDatetime,
    HttpUrl,
    NaiveDatetime,
    PlainValidator,
    PrivateAttr,
    RootModel,
    StringConstraints,
    WrapValidator,
    computed_field,
    create_model,
    field_validator,
    model_validator,
)

from stamp import Workflow
from stamp.errors import EncodeError, StampError, WorkflowError
from stamp.schema import Catalog, SchemaId, avro_schema, bind
from stamp.schema.view import View

T = TypeVar("T")


def hop(instance):
    """Return what a view reads of what was written."""
    model = type(instance)
    schema = avro_schema(model)
    payload = bind(model).encode(instance)
    return View(model).read(bytes(SchemaId.of(schema)), payload, Catalog().with_schema(schema))


def made(annotation, value, default=...):
    return create_model("M", x=(annotation, default))(x=value)


def forced(annotation, value):
    return create_model("M", x=(annotation, ...)).model_construct(x=value)


def left_out(annotation, default):
    return create_model("M", x=(annotation, default))()


# -- what would be another value is refused ------------------------------------------------------------------------------------------


class Color(Enum):
    RED = "red"


class Totalled(BaseModel):
    total: int = 0
    tax: int = 1

    def model_post_init(self, _context: Any) -> None:
        self.total += self.tax


class Counted(BaseModel):
    n: int

    @model_validator(mode="after")
    def count(self):
        self.n += 1
        return self


class Raised(BaseModel):
    n: int

    @model_validator(mode="before")
    @classmethod
    def up(cls, data):
        return {"n": data["n"] + 1}


class Doubled(BaseModel):
    n: int

    @model_validator(mode="wrap")
    @classmethod
    def double(cls, data, validate):
        made = validate(data)
        made.n *= 2
        return made


class Initialised(BaseModel):
    n: int

    def __init__(self, **data: Any) -> None:
        super().__init__(n=data["n"] * 10)


class Hashed(BaseModel):
    tag: str

    @field_validator("tag")
    @classmethod
    def hash(cls, value):
        return f"#{value}"


class Inherited(Hashed):
    more: int = 0


class Prefixed(RootModel[str]):
    @field_validator("root")
    @classmethod
    def prefix(cls, value):
        return f"x{value}"


class Hidden(BaseModel):
    n: int = 0
    _kept: int = PrivateAttr(0)


def hiding(value):
    instance = Hidden()
    instance._kept = value
    return instance


class Excluding(BaseModel):
    n: int = 0
    secret: str = Field("", exclude=True)


class Identified(BaseModel):
    key: UUID = Field(default_factory=uuid4, exclude=True)


class UsingValues(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    color: Color = Color.RED


class Lowering(BaseModel):
    model_config = ConfigDict(str_to_lower=True)
    text: str


class Positive(BaseModel):
    n: int = Field(gt=0)


class Careless(BaseModel):
    """Calls itself equal to anything."""

    cents: Annotated[int, BeforeValidator(lambda value: value * 100)]

    def __eq__(self, _other: object) -> bool:
        return True

    __hash__ = None


class Outer(BaseModel):
    one: Totalled | None = None
    many: list[Counted | Hashed] = []
    by_name: dict[str, Hidden] = {}
    pair: tuple[int, Excluding] | None = None


class Box(BaseModel, Generic[T]):
    thing: Annotated[T, AfterValidator(lambda value: value * 2)]


def mutated(model, **changes):
    instance = model.model_construct(**changes)
    instance.__dict__.update(changes)
    return instance


TWICE = "is read as"
UNREADABLE = "can be read back"
REFUSED = {
    "before": (made(Annotated[int, BeforeValidator(lambda value: round(float(value) * 100))], "1.5"), "M.x", TWICE),
    "after": (made(Annotated[str, AfterValidator(lambda value: value + "!")], "a"), "M.x", TWICE),
    "plain": (made(Annotated[str, PlainValidator(lambda value: value + "!")], "a"), "M.x", TWICE),
    "wrap": (made(Annotated[str, WrapValidator(lambda value, ask: ask(value) + "!")], "a"), "M.x", TWICE),
    "items": (made(list[Annotated[int, AfterValidator(lambda value: -value)]], [0, 1]), "M.x[1]", TWICE),
    "values": (made(dict[str, Annotated[int, AfterValidator(lambda value: -value)]], {"a": 1}), "M.x['a']", TWICE),
    "split": (
        made(Annotated[list[str], BeforeValidator(lambda value: value.split(","))], "a,b"),
        "M",
        "AttributeError",
    ),
    "default not converted": (left_out(Annotated[int, AfterValidator(lambda value: value * 2)], 5), "M.x", TWICE),
    "default of text": (left_out(Annotated[Path, AfterValidator(lambda path: path / "x")], "a"), "M.x", TWICE),
    "model_post_init": (Totalled(), "Totalled.total", TWICE),
    "model after": (Counted(n=1), "Counted.n", TWICE),
    "model before": (Raised(n=1), "Raised.n", TWICE),
    "model wrap": (Doubled(n=1), "Doubled.n", TWICE),
    "init": (Initialised(n=1), "Initialised.n", TWICE),
    "field": (Hashed(tag="a"), "Hashed.tag", TWICE),
    "inherited": (Inherited(tag="a"), "Inherited.tag", TWICE),
    "generic": (Box[int](thing=1), "Box[int].thing", TWICE),
    "RootModel": (made(Prefixed, Prefixed("a")), "M.x.root", TWICE),
    "equality of its own": (Careless(cents=1), "Careless.cents", TWICE),
    "nested": (Outer(one=Totalled()), "Outer.one.total", TWICE),
    "in a list": (Outer(many=[Hashed(tag="a")]), "Outer.many[0].tag", TWICE),
    "in a dict": (Outer(by_name={"a": hiding(1)}), "Outer.by_name['a']._kept", "private attribute"),
    "in a tuple": (Outer(pair=(1, Excluding(secret="s"))), "Outer.pair[1].secret", "exclude=True"),
    "private": (hiding(5), "Hidden._kept", "private attribute"),
    "excluded": (Excluding(secret="s"), "Excluding.secret", "exclude=True"),
    "excluded, made anew": (Identified(), "Identified.key", "exclude=True"),
    "enum for its value": (UsingValues(), "UsingValues.color", "also as its default"),
    "config": (mutated(Lowering, text="ABC"), "Lowering.text", TWICE),
    "strip": (forced(Annotated[str, StringConstraints(strip_whitespace=True)], " a"), "M.x", TWICE),
    "tuple for a Sequence": (made(Sequence[int], (1, 2)), "M.x", "got tuple (1, 2), which is read as list [1, 2]"),
    "deque for a Sequence": (made(Sequence[int], deque([1])), "M.x", "got deque"),
    "deque for a MutableSequence": (forced(MutableSequence[int], deque([1])), "M.x", "a list, got deque"),
    "first of a union": (forced(Annotated[int | str, Field(union_mode="left_to_right")], "1"), "M.x", TWICE),
    "path of another system": (made(PurePath, PureWindowsPath("a\\b")), "M.x", TWICE),
    "another class of URL": (forced(AnyUrl, HttpUrl("https://a.b")), "M.x", TWICE),
    "bound": (mutated(Positive, n=-1), "Positive.n", UNREADABLE),
    "digits": (forced(Annotated[Decimal, Field(max_digits=3)], Decimal(1234)), "M.x", UNREADABLE),
    "not finite": (forced(Decimal, Decimal("NaN")), "M.x", UNREADABLE),
    "signalling": (forced(Decimal, Decimal("sNaN")), "M.x", UNREADABLE),
    "version": (forced(UUID4, UUID(int=5)), "M.x", UNREADABLE),
    "past": (forced(FutureDatetime, datetime(2000, 1, 1, tzinfo=UTC)), "M.x", UNREADABLE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_value_that_would_be_read_as_another_is_not_written(name):
    instance, path, reason = REFUSED[name]
    with pytest.raises(EncodeError) as caught:
        hop(instance)
    assert (caught.value.path, reason in caught.value.message) == (path, True), caught.value.message


def test_the_error_shows_both_values_and_says_what_to_do():
    with pytest.raises(EncodeError) as caught:
        hop(made(Annotated[int, BeforeValidator(lambda value: round(float(value) * 100))], "1.5"))
    assert str(caught.value) == (
        "M.x: expected a value that is read as it was written, got int 150, which is read as int 15000: validators and "
        "`model_post_init` run again when the value is read: let them leave alone what they have converted already, or convert "
        "before the model is made"
    )


# -- what is the same value is written -----------------------------------------------------------------------------------------------


class Locked(BaseModel):
    n: int = 0
    _lock: Any = PrivateAttr(default_factory=threading.Lock)


class Deriving(BaseModel):
    """Fills what it derives, however often."""

    net: int
    gross: int = 0
    _seen: list[int] = PrivateAttr(default_factory=list)

    def model_post_init(self, _context: Any) -> None:
        self.gross = self.net * 2
        self._seen.append(self.net)


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    names: set[str]
    path: Path
    price: Decimal
    pair: tuple[int, ...]


class Left(BaseModel):
    a: int = 1


class Right(BaseModel):
    a: int = 1


NIGHT = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
"""In an hour that the clock shows twice: Python calls it equal to no datetime of another zone."""

SAME = {
    "idempotent": made(Annotated[str, BeforeValidator(str.upper)], "a"),
    "back to text": made(Annotated[HttpUrl, AfterValidator(str)], "https://example.com"),
    "derived": Deriving(net=5),
    "private default": Hidden(),
    "excluded default": Excluding(),
    "value of an enum": UsingValues(color="red"),
    "bound": Positive(n=1),
    "strict": Strict(names={"a"}, path=Path("a"), price=Decimal(1), pair=(1,)),
    "scale": made(Annotated[Decimal, Field(gt=0, max_digits=5, decimal_places=2)], "1.5"),
    "equal models": made(list[Left | Right], [Right(), Left()]),
    "left to right": made(Annotated[int | str, Field(union_mode="left_to_right")], 1),
    "model or dict": forced(Left | dict[str, int], {"a": 1}),
    "zone": made(Annotated[datetime, Field(gt=datetime(2000, 1, 1, tzinfo=UTC))], "2024-01-01T00:00:00.123456+03:00"),
    "nothing": Outer(),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_read_as_the_same_value_is_written(name):
    assert hop(SAME[name]) == SAME[name]


def test_what_python_cannot_compare_is_written():
    assert hop(made(Annotated[float, Field(allow_inf_nan=True), AfterValidator(lambda value: value)], "nan")).x != 0
    assert hop(made(Annotated[datetime, AfterValidator(lambda value: value)], NIGHT)).x.astimezone(NIGHT.tzinfo).fold
    assert hop(Locked(n=1)).n == 1
    assert hop(left_out(HttpUrl, "https://example.com")).x == HttpUrl("https://example.com")


NANS = Annotated[float, Field(allow_inf_nan=True), AfterValidator(lambda value: value)]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (set[NANS], {float("nan"), 1.5}),
        (frozenset[NANS], frozenset({float("nan")})),
        (set[tuple[NANS, int]], {(float("nan"), 1), (1.5, 2)}),
        (list[NANS], [float("nan"), 1.5]),
        (dict[str, set[NANS]], {"a": {float("nan")}}),
    ],
)
def test_not_a_number_is_the_same_wherever_it_is(annotation, value):
    assert len(hop(made(annotation, value)).x) == len(value)


@pytest.mark.parametrize("convert", [lambda value: value + 1, lambda value: -value])
def test_sets_with_another_number_are_not_the_same(convert):
    member = Annotated[float, Field(allow_inf_nan=True), AfterValidator(convert)]
    with pytest.raises(EncodeError, match="is read as"):
        hop(forced(set[member], {float("nan"), -1.5}))


class Broken:
    """Cannot be compared, and may not be shown."""

    def __init__(self, error, *, is_shown):
        self.error, self.is_shown = error, is_shown

    def __eq__(self, _other):
        raise self.error

    __hash__ = None

    def __repr__(self):
        if self.is_shown:
            return f"<{id(self)}>"
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("gone"), LookupError(), OSError(), ValueError(), RecursionError()])
@pytest.mark.parametrize("is_shown", [True, False])
def test_what_raises_when_it_is_compared_is_refused_as_any_other(error, is_shown):
    class Holding(BaseModel):
        n: Annotated[int, AfterValidator(lambda value: value)]
        _kept: Any = PrivateAttr(default_factory=lambda: Broken(error, is_shown=is_shown))

    with pytest.raises(EncodeError, match="a private attribute is not written") as caught:
        hop(Holding(n=1))
    assert caught.value.path == "Holding._kept"


# -- computed fields -----------------------------------------------------------------------------------------------------------------


class Derived(BaseModel):
    url: str = ""

    @computed_field
    @property
    def media_type(self) -> str:
        return "image/png"


class Holding(BaseModel):
    files: list[Derived] = []


@pytest.mark.parametrize("model", [Derived, Holding])
def test_a_computed_field_is_refused_in_what_a_step_writes(model):
    with pytest.raises(WorkflowError, match=r"Derived\.media_type: expected no computed field in what a step writes"):
        Workflow("files").starts("file", model, emits="Filed")


def test_a_computed_field_of_a_view_is_computed():
    class File(BaseModel):
        url: str

    class Seen(BaseModel):
        said: str

    workflow = Workflow("files")
    workflow.starts("file", File, emits="Filed")

    @workflow.step(on="Filed", emits="Seen")
    def see(file: Derived) -> Seen:
        return Seen(said=file.media_type)

    (out,) = workflow.process("see", workflow.start(File(url="u"), workflow_id="1").body)
    assert b"image/png" in out.body


# -- the law -------------------------------------------------------------------------------------------------------------------------

TEXT = st.text("aA b1", max_size=3)
SMALL = st.integers(-3, 3)


class Mood(StrEnum):
    GOOD = "good"


VALUES = {
    int: SMALL,
    str: TEXT,
    bool: st.booleans(),
    float: st.floats(allow_nan=False) | SMALL,
    bytes: st.binary(max_size=3),
    Decimal: st.decimals(-5, 5, places=2),
    Annotated[Decimal, Field(max_digits=4, decimal_places=2)]: st.decimals(-5, 5, places=1),
    datetime: st.datetimes(timezones=st.just(UTC)),
    NaiveDatetime: st.datetimes(),
    timedelta: st.timedeltas(timedelta(-9), timedelta(9)),
    UUID: st.uuids(),
    Path: st.sampled_from([Path("a"), "b", Path("c/d")]),
    Color: st.just(Color.RED),
    Mood: st.sampled_from([Mood.GOOD, "good"]),
    Literal["a", "b"]: st.sampled_from(["a", "b", "c"]),
    list[int]: st.lists(SMALL, max_size=3) | st.tuples(SMALL),
    Sequence[str]: st.lists(TEXT, max_size=3) | st.tuples(TEXT),
    set[int]: st.sets(SMALL),
    tuple[int, str]: st.tuples(SMALL, TEXT),
    dict[str, int]: st.dictionaries(TEXT, SMALL, max_size=3),
    int | str: SMALL | TEXT,
    bool | int | None: st.none() | st.booleans() | SMALL,
    Left | Right: st.builds(Left, a=SMALL) | st.builds(Right, a=SMALL),
    Left: st.builds(Left, a=SMALL) | st.builds(create_model("More", __base__=Left, b=(int, 1)), a=SMALL),
    Totalled: st.builds(Totalled, total=SMALL, tax=SMALL),
    Left | dict[str, int]: st.builds(Left) | st.dictionaries(st.just("a"), SMALL),
}
MODES = (AfterValidator, BeforeValidator, PlainValidator)
CODE = (
    lambda value: value,
    lambda value: value + value,
    lambda value: value * 2,
    lambda value: -value,
    str.upper,
    str.strip,
    str,
    lambda value: [*value, *value],
    abs,
    lambda value: value or 5,
    lambda value: type(value)(),
)
CONSTRAINTS = (
    Field(gt=0),
    Field(max_length=2),
    Field(strict=True),
    Field(exclude=True),
    Field(multiple_of=2),
    Field(validate_default=True),
    StringConstraints(to_lower=True, strip_whitespace=True),
    Field(alias="other"),
)
CONFIGS = (
    {},
    {"strict": True},
    {"use_enum_values": True},
    {"str_strip_whitespace": True},
    {"frozen": True},
    {"revalidate_instances": "always"},
    {"validate_assignment": True},
    {"populate_by_name": True, "extra": "forbid"},
    {"validate_default": True},
)


@st.composite
def instances(draw):
    """Draw an instance of a model with up to three features, which may have been changed, or made without validation."""
    fields: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for name in draw(st.sampled_from([("one",), ("one", "two")])):
        annotation = draw(st.sampled_from([*VALUES]))
        features = draw(
            st.lists(
                st.sampled_from(CONSTRAINTS)
                | st.builds(lambda mode, code: mode(code), st.sampled_from(MODES), st.sampled_from(CODE)),
                max_size=2,
            )
        )
        default = draw(st.just(...) | VALUES[annotation])
        fields[name] = (Annotated[(annotation, *features)] if features else annotation, default)
        if default is ... or draw(st.booleans()):
            given[name] = draw(VALUES[annotation])
    try:
        model = create_model("M", __config__=ConfigDict(**draw(st.sampled_from(CONFIGS))), **fields)
        avro_schema(model)
    except Exception:  # noqa: BLE001 - pydantic raises what it likes for what does not go together; a StampError is fine as well
        assume(False)
    if draw(st.booleans()):
        try:
            return model.model_validate(given, by_name=True, by_alias=True)
        except Exception:  # noqa: BLE001 - so may the validators above
            assume(False)
    return model.model_construct(**given)


@settings(max_examples=60, deadline=None)
@given(instances())
def test_whatever_is_read_is_what_was_written(instance):
    try:
        read = hop(instance)
    except StampError:
        return
    texts = {name: value for name, value in instance if isinstance(value, str)}
    for name, value in read:
        written = getattr(instance, name)
        assert value == written or (name in texts and isinstance(value, Path) and value == Path(written))
    assert type(read) is type(instance)

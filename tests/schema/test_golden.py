"""Schemas that have once been published: what a model becomes never changes. Golden files are added, not edited.

Annotations are postponed here, as in most code; elsewhere in these tests they are not.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NewType, TypeVar
from uuid import UUID

import pytest
from pydantic import AliasChoices, BaseModel, Field, HttpUrl, NaiveDatetime, RootModel

from stamp.schema import SchemaId, avro_schema, bind

GOLDEN = Path(__file__).with_name("golden")
T = TypeVar("T")
TicketId = NewType("TicketId", str)


class Ticket(BaseModel):
    """What the customer told us."""

    ticket_id: TicketId
    description: str = Field(description="In the customer's own words.")
    created: datetime


class Priority(IntEnum):
    """How soon."""

    LOW = 1
    HIGH = 10


class Colour(Enum):
    __avro__: ClassVar[dict[str, Any]] = {"aliases": ["Color"], "default": "UNKNOWN"}

    UNKNOWN = "?"
    DARK_RED = "dark red"


class Unit(StrEnum):
    KG = "kg"


class Scalars(BaseModel):
    flag: bool = True
    number: int = Field(-1, ge=-5)
    ratio: float = 0.5
    text: str = Field("é", max_length=10)
    raw: bytes = b"\x00\xff"
    nothing: None = None
    at: datetime = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    local: NaiveDatetime = datetime(1969, 12, 31, 23, 59, 59)
    day: date = date(2026, 1, 2)
    hour: time = time(1, 2, 3, 4)
    lasted: timedelta = timedelta(hours=-1)
    ident: UUID = UUID(int=1)
    amount: Decimal = Field(Decimal("-1.50"), max_digits=9, decimal_places=2)
    exact: Decimal = Decimal("1E-30")
    page: HttpUrl = HttpUrl("https://example.com/")
    host: IPv4Address = IPv4Address("127.0.0.1")
    priority: Priority = Priority.HIGH
    colour: Colour = Colour.DARK_RED
    unit: Literal[Unit.KG] = Unit.KG
    kind: Literal["a", "b"] = "b"


class Money(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
    currency: Literal["EUR", "USD"] = "EUR"


class Labels(RootModel[dict[str, str]]):
    pass


class Page(BaseModel, Generic[T]):
    """Part of a list."""

    items: list[T]
    next: str | None = None


class Containers(BaseModel):
    list_of: list[int] = []
    maybe_list: list[int | None] = [None]
    unique: set[str] = {"b", "a"}
    frozen: frozenset[date] = Field(default_factory=frozenset)
    fixed: tuple[int, str] = (1, "a")
    again: tuple[int, str]
    any_size: tuple[Money, ...] = (Money(amount=Decimal(1)),)
    mapped: dict[str, list[bytes]] = {"k": [b"\xfe"]}
    labels: Labels = Labels({})
    numbers: Page[int]
    prices: Page[Money | None]


class Card(BaseModel):
    kind: Literal["card"] = "card"
    number: str


class Transfer(BaseModel):
    kind: Literal["transfer"] = "transfer"
    iban: str = ""


class Unions(BaseModel):
    maybe: int | None = None
    required: str | None
    number_first: int | str | None = 5
    either: Annotated[Card | Transfer, Field(discriminator="kind")] = Transfer()
    several: list[Card | Transfer | str | None]
    text: int | Path = Path("a")


class Category(BaseModel):
    name: str
    parent: Category | None = None
    children: list[Category] = []


class Line(BaseModel):
    __avro__: ClassVar[dict[str, Any]] = {"name": "OrderLine", "namespace": "shop.lines", "aliases": ["Position"]}

    quantity: int = Field(1, validation_alias=AliasChoices("quantity", "count", "n"))
    category: Category


def line_of_invoice() -> type[BaseModel]:
    class OrderLine(BaseModel):
        text: str

    return OrderLine


InvoiceLine = line_of_invoice()


class Invoice(BaseModel):
    line: InvoiceLine
    total: Money


class Order(BaseModel):
    """Names, in all the ways that there are."""

    lines: list[Line]
    invoice: Invoice
    main: Category | None = None
    money: Money = Money(amount=Decimal("0.01"), currency="USD")
    hidden: str = Field("", exclude=True)
    from_: str = Field(alias="from")


PUBLISHED = {
    "ticket": (Ticket, {}),
    "scalars": (Scalars, {"namespace": "golden"}),
    "containers": (Containers, {}),
    "unions": (Unions, {"namespace": "golden"}),
    "category": (Category, {"name": "Root"}),
    "order": (Order, {"name": "PlacedOrder", "namespace": "shop"}),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_schema_is_what_it_was(name, accepted):
    model, options = PUBLISHED[name]
    schema = avro_schema(model, **options)
    text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    file = GOLDEN / f"{name}.avsc"
    if not file.exists() and os.environ.get("STAMP_GOLDEN") == "add":
        file.write_text(text, encoding="utf-8")
    published = file.read_text(encoding="utf-8")
    assert unconstrained(schema) == json.loads(published)
    assert SchemaId.of(schema) == SchemaId.of(json.loads(published))
    accepted(schema)


def unconstrained(schema):
    """What a model enforces beyond Avro came later than these files, and is not part of the identity."""
    if isinstance(schema, list):
        return [unconstrained(each) for each in schema]
    if isinstance(schema, dict):
        return {key: unconstrained(value) for key, value in schema.items() if key != "stamp"}
    return schema


def test_no_published_schema_is_forgotten():
    assert {file.stem for file in GOLDEN.iterdir()} == set(PUBLISHED)


def test_a_model_in_a_function_may_contain_itself():
    class Nested(BaseModel):
        inner: list[Nested] = []

    assert avro_schema(Nested)["fields"][0]["type"] == {"type": "array", "items": "Nested"}
    assert bind(Nested).encode(Nested(inner=[Nested()])) == b"\x02\x00\x00"

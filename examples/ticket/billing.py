"""Billing: write the invoice."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from stamp import StepContext

from .workflow import ticket


class Plan(StrEnum):
    """What the customer has paid for in advance."""

    FREE = "FREE"
    HOME = "HOME"
    BUSINESS = "BUSINESS"


class Customer(BaseModel):
    """Who pays."""

    country: str


class Ticket(BaseModel):
    """What billing looks at in a ticket."""

    customer: Customer
    plan: Plan


class Part(BaseModel):
    """A spare part that was used."""

    number: str
    quantity: int


class Resolved(BaseModel):
    """What billing looks at in a resolution."""

    minutes: int
    parts: list[Part]


class Currency(StrEnum):
    """What the customer pays in (ISO 4217)."""

    EUR = "EUR"
    GBP = "GBP"
    JPY = "JPY"
    USD = "USD"


Money = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]


class Line(BaseModel):
    """One line of an invoice."""

    text: str
    quantity: int
    unit_price: Money
    amount: Money


class Billed(BaseModel):
    """An invoice."""

    invoice: str
    currency: Currency
    lines: list[Line]
    net: Money
    tax: Money
    total: Money


class Coverage(NamedTuple):
    """What a plan includes."""

    minutes: int
    parts: bool


class Tariff(NamedTuple):
    """How a country pays: list prices times `per_euro`, in whole `unit`s of the currency."""

    currency: Currency
    unit: Decimal
    per_euro: Decimal
    tax: Decimal


COVERAGE = {
    Plan.FREE: Coverage(0, parts=True),
    Plan.HOME: Coverage(30, parts=False),
    Plan.BUSINESS: Coverage(240, parts=True),
}
PRICES = {
    "PNL-550": Decimal("189.90"),
    "BAT-18": Decimal("4.25"),
    "CBL-35": Decimal("3.10"),
    "DRV-8Ω": Decimal("17.35"),
}
PRICE_OF_A_MINUTE = Decimal("1.15")

CENT = Decimal("0.01")
EURO = Tariff(Currency.EUR, CENT, Decimal(1), Decimal("0.19"))
TARIFFS = {
    "GB": Tariff(Currency.GBP, CENT, Decimal("0.86"), Decimal("0.20")),
    "JP": Tariff(Currency.JPY, Decimal(1), Decimal("162.5"), Decimal("0.10")),
    "US": Tariff(Currency.USD, CENT, Decimal("1.08"), Decimal("0.0725")),
}


@ticket.step(on="TicketResolved", emits="TicketBilled")
def billing(ticket: Ticket, resolution: Resolved, context: StepContext) -> Billed:
    """Charge what the customer's plan does not cover, in the customer's currency."""
    tariff = TARIFFS.get(ticket.customer.country, EURO)
    lines = charge(resolution, COVERAGE[ticket.plan], tariff)
    net = sum((line.amount for line in lines), Decimal("0.00"))
    tax = round_to(tariff.unit, net * tariff.tax)
    return Billed(
        invoice=f"INV-{context.workflow_id}",
        currency=tariff.currency,
        lines=lines,
        net=net,
        tax=tax,
        total=net + tax,
    )


def charge(resolution: Resolved, coverage: Coverage, tariff: Tariff) -> list[Line]:
    """Return the lines for time and parts beyond `coverage`. Nothing to pay is no line."""
    minutes = max(0, resolution.minutes - coverage.minutes)
    time = [line("Working time, minutes", minutes, PRICE_OF_A_MINUTE, tariff)] if minutes else []
    parts = [] if coverage.parts else resolution.parts
    return time + [line(part.number, part.quantity, PRICES[part.number], tariff) for part in parts]


def line(text: str, quantity: int, euros: Decimal, tariff: Tariff) -> Line:
    """Return a line for `quantity` pieces that cost `euros` each by the price list."""
    unit_price = round_to(tariff.unit, euros * tariff.per_euro)
    return Line(text=text, quantity=quantity, unit_price=unit_price, amount=quantity * unit_price)


def round_to(unit: Decimal, amount: Decimal) -> Decimal:
    """Round half to even, to whole `unit`s."""
    return amount.quantize(unit)

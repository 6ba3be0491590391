"""Survey: ask how it was. What a person would answer in real life follows from the facts here."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from .workflow import ticket


class Ticket(BaseModel):
    """What the survey looks at in a ticket."""

    created_at: datetime


class Resolved(BaseModel):
    """What the survey looks at in a resolution."""

    solved_at: datetime


class Currency(StrEnum):
    """What the customer pays in (ISO 4217)."""

    EUR = "EUR"
    GBP = "GBP"
    JPY = "JPY"
    USD = "USD"


class Billed(BaseModel):
    """What the survey looks at in an invoice."""

    currency: Currency
    total: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]


class Surveyed(BaseModel):
    """The customer's opinion, from 1 (never again) to 5 (all is well)."""

    score: int
    comment: str | None


SOON = timedelta(hours=6)
LATE = timedelta(days=1)
CHEAP = {Currency.EUR: 50, Currency.GBP: 45, Currency.JPY: 8_000, Currency.USD: 55}
COMMENTS = {5: "Solved before I had finished my tea. 🫖", 2: "Slow and expensive :-("}
BEST = 5


@ticket.step(on="TicketBilled", emits="SurveyAnswered", ends="SurveyAnswered")
def survey(ticket: Ticket, resolution: Resolved, billing: Billed) -> Surveyed:
    """Take one point off for waiting long, one for waiting very long, one for a high bill."""
    waited = resolution.solved_at - ticket.created_at
    score = BEST - (waited > SOON) - (waited > LATE) - (billing.total > CHEAP[billing.currency])
    return Surveyed(score=score, comment=COMMENTS.get(score))

"""Validation: find out whether a ticket is ours to solve, what it is about and how soon somebody must look at it."""

import unicodedata
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel

from .workflow import ticket


class Plan(StrEnum):
    """What the customer has paid for in advance."""

    FREE = "FREE"
    HOME = "HOME"
    BUSINESS = "BUSINESS"


class Ticket(BaseModel):
    """What validation looks at in a ticket."""

    subject: str
    description: str
    plan: Plan
    tags: list[str]
    order_number: str | None


class Category(StrEnum):
    """What kind of expert the trouble needs."""

    NETWORK = "NETWORK"
    DISPLAY = "DISPLAY"
    POWER = "POWER"
    AUDIO = "AUDIO"
    SOFTWARE = "SOFTWARE"
    OTHER = "OTHER"


class Priority(StrEnum):
    """How urgent it is."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"


class Reason(StrEnum):
    """Why a ticket is not accepted."""

    NO_DESCRIPTION = "NO_DESCRIPTION"
    NOT_COVERED = "NOT_COVERED"
    SPAM = "SPAM"


class Validated(BaseModel):
    """A ticket that is ours to solve."""

    category: Category
    priority: Priority
    respond_within: timedelta


class Rejected(BaseModel):
    """A ticket that ends here."""

    reason: Reason
    explanation: str


CATEGORIES = {
    "router": Category.NETWORK,
    "wifi": Category.NETWORK,
    "tv": Category.DISPLAY,
    "screen": Category.DISPLAY,
    "battery": Category.POWER,
    "charger": Category.POWER,
    "speaker": Category.AUDIO,
    "headphones": Category.AUDIO,
    "app": Category.SOFTWARE,
    "update": Category.SOFTWARE,
}
URGENT_TAGS = {"outage", "smoke", "medical"}
PRIORITIES = {Plan.FREE: Priority.LOW, Plan.HOME: Priority.NORMAL, Plan.BUSINESS: Priority.HIGH}
RESPOND_WITHIN = {
    Priority.LOW: timedelta(days=3),
    Priority.NORMAL: timedelta(days=1),
    Priority.HIGH: timedelta(hours=4),
}
EXPLANATIONS = {
    Reason.NO_DESCRIPTION: "The description says nothing that an expert could work with.",
    Reason.NOT_COVERED: "Without a plan we need the number of an order that is still under warranty.",
    Reason.SPAM: "The text advertises something.",
}
LINKS_OF_AN_ADVERTISEMENT = 3


@ticket.step(
    on="TicketCreated",
    emits={Validated: "TicketValidated", Rejected: "TicketRejected"},
    ends="TicketRejected",
)
def validation(ticket: Ticket) -> Validated | Rejected:
    """Accept the ticket with its category and priority, or reject it with a reason."""
    reason = find_objection(ticket)
    if reason is not None:
        return Rejected(reason=reason, explanation=EXPLANATIONS[reason])
    priority = Priority.HIGH if URGENT_TAGS & set(ticket.tags) else PRIORITIES[ticket.plan]
    return Validated(
        category=next((CATEGORIES[tag] for tag in ticket.tags if tag in CATEGORIES), Category.OTHER),
        priority=priority,
        respond_within=RESPOND_WITHIN[priority],
    )


def find_objection(ticket: Ticket) -> Reason | None:
    """Return why this ticket is not ours to solve, or None if it is."""
    if not any(is_readable(character) for character in ticket.description):
        return Reason.NO_DESCRIPTION
    if f"{ticket.subject} {ticket.description}".lower().count("http") >= LINKS_OF_AN_ADVERTISEMENT:
        return Reason.SPAM
    if ticket.plan is Plan.FREE and ticket.order_number is None:
        return Reason.NOT_COVERED
    return None


def is_readable(character: str) -> bool:
    """Tell whether a person sees something there: blanks and controls of all scripts (Unicode Z and C) are invisible."""
    return unicodedata.category(character)[0] not in "ZC"

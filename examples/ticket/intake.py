"""Intake: a customer asks for help, and the workflow starts."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from .workflow import ticket


class Channel(StrEnum):
    """How the customer reached us."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    WEB = "WEB"
    CHAT = "CHAT"


class Plan(StrEnum):
    """What the customer has paid for in advance."""

    FREE = "FREE"
    HOME = "HOME"
    BUSINESS = "BUSINESS"


class Customer(BaseModel):
    """Who asks for help."""

    name: str
    email: str
    country: str
    language: str


class Ticket(BaseModel):
    """A request for help, in the customer's own words."""

    customer: Customer
    channel: Channel
    created_at: datetime
    subject: str
    description: str
    plan: Plan
    tags: list[str] = []
    order_number: str | None = None


ticket.starts("ticket", Ticket, emits="TicketCreated")

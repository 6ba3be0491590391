"""Notification: tell the customer who takes care of the trouble."""

from enum import StrEnum

from pydantic import BaseModel

from .workflow import ticket


class Channel(StrEnum):
    """How the customer reached us."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    WEB = "WEB"
    CHAT = "CHAT"


class Customer(BaseModel):
    """Whom to tell."""

    email: str
    language: str


class Ticket(BaseModel):
    """What notification looks at in a ticket."""

    customer: Customer
    channel: Channel


class Assigned(BaseModel):
    """What notification looks at in an assignment."""

    expert: str
    speaks_customers_language: bool


class Medium(StrEnum):
    """How we reach the customer."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


class Notified(BaseModel):
    """The message that the customer got."""

    medium: Medium
    recipient: str | None
    template: str
    language: str
    variables: dict[str, str]


MEDIA = {Channel.EMAIL: Medium.EMAIL, Channel.PHONE: Medium.SMS, Channel.WEB: Medium.EMAIL, Channel.CHAT: Medium.PUSH}
TEMPLATE_LANGUAGES = ("en", "ar", "de", "es", "fr", "hi", "ja", "pt", "uk", "zh-Hans", "zh-Hant")


@ticket.step(on="TicketAssigned", emits="CustomerNotified")
def notification(ticket: Ticket, assignment: Assigned) -> Notified:
    """Choose medium, template and language of the message."""
    medium = MEDIA[ticket.channel]
    return Notified(
        medium=medium,
        recipient=ticket.customer.email if medium is Medium.EMAIL else None,
        template="expert-found" if assignment.speaks_customers_language else "expert-found-with-interpreter",
        language=template_language(ticket.customer.language),
        variables={"expert": assignment.expert},
    )


def template_language(tag: str) -> str:
    """Return the closest language that has templates (RFC 4647, "Lookup"): `pt` for `pt-BR`, English for Klingon."""
    subtags = tag.split("-")
    ranges = ("-".join(subtags[:length]) for length in range(len(subtags), 0, -1))
    return next((candidate for candidate in ranges if candidate in TEMPLATE_LANGUAGES), "en")

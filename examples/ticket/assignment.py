"""Assignment: find the expert who fits best."""

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel

from .workflow import ticket


class Customer(BaseModel):
    """Whom the expert will talk to."""

    language: str


class Ticket(BaseModel):
    """What assignment looks at in a ticket."""

    customer: Customer


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


class Validated(BaseModel):
    """What assignment looks at in a validation."""

    category: Category
    priority: Priority


class Level(StrEnum):
    """How experienced an expert is."""

    JUNIOR = "JUNIOR"
    SENIOR = "SENIOR"


class Assigned(BaseModel):
    """The expert who takes the ticket."""

    team: str
    expert: str
    level: Level
    speaks_customers_language: bool


class Expert(NamedTuple):
    """One line of the roster."""

    name: str
    team: str
    level: Level
    categories: frozenset[Category]
    languages: frozenset[str]


HARDWARE = frozenset({Category.DISPLAY, Category.POWER, Category.AUDIO})
CONNECTED = frozenset({Category.NETWORK, Category.SOFTWARE})
EVERYTHING = frozenset(Category)

ROSTER = (
    Expert("Ada Okafor", "workshop", Level.SENIOR, HARDWARE, frozenset({"en", "fr", "sw"})),
    Expert("Björn Åkesson", "workshop", Level.JUNIOR, HARDWARE, frozenset({"sv", "en", "de"})),
    Expert("陈美玲", "remote", Level.SENIOR, CONNECTED, frozenset({"zh", "ja", "en"})),
    Expert("Dmytro Коваль", "remote", Level.JUNIOR, CONNECTED, frozenset({"uk", "pl", "en"})),
    Expert("Élodie N'Guessan", "field", Level.SENIOR, EVERYTHING, frozenset({"fr", "es", "pt"})),
    Expert("فاطمة الزهراء", "field", Level.JUNIOR, EVERYTHING, frozenset({"ar", "fr", "tr"})),
)


@ticket.step(on="TicketValidated", emits="TicketAssigned")
def assignment(ticket: Ticket, validation: Validated) -> Assigned:
    """Choose among the experts of the category: seniors for urgent trouble, then who speaks the customer's language."""
    language = primary_language(ticket.customer.language)
    wanted = Level.SENIOR if validation.priority is Priority.HIGH else Level.JUNIOR
    expert = max(
        (expert for expert in ROSTER if validation.category in expert.categories),
        key=lambda expert: (expert.level is wanted, language in expert.languages),
    )
    return Assigned(
        team=expert.team,
        expert=expert.name,
        level=expert.level,
        speaks_customers_language=language in expert.languages,
    )


def primary_language(tag: str) -> str:
    """Return the language of a BCP 47 tag without script and region: `zh` of `zh-Hant-TW`."""
    return tag.partition("-")[0].lower()

"""Resolution: the expert repairs what is broken. What a person does in real life is a table here."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel

from .workflow import ticket


class Ticket(BaseModel):
    """What resolution looks at in a ticket."""

    created_at: datetime
    tags: list[str]


class Category(StrEnum):
    """What kind of expert the trouble needs."""

    NETWORK = "NETWORK"
    DISPLAY = "DISPLAY"
    POWER = "POWER"
    AUDIO = "AUDIO"
    SOFTWARE = "SOFTWARE"
    OTHER = "OTHER"


class Validated(BaseModel):
    """What resolution looks at in a validation."""

    category: Category
    respond_within: timedelta


class Level(StrEnum):
    """How experienced an expert is."""

    JUNIOR = "JUNIOR"
    SENIOR = "SENIOR"


class Assigned(BaseModel):
    """What resolution looks at in an assignment."""

    level: Level


class Action(StrEnum):
    """What solved it."""

    EXPLAINED = "EXPLAINED"
    RECONFIGURED = "RECONFIGURED"
    REPAIRED = "REPAIRED"
    REPLACED = "REPLACED"


class Part(BaseModel):
    """A spare part that was used."""

    number: str
    name: str
    quantity: int


class Resolved(BaseModel):
    """What the expert did."""

    action: Action
    minutes: int
    solved_at: datetime
    parts: list[Part]


class Work(NamedTuple):
    """The usual work for one category."""

    action: Action
    minutes: int
    parts: tuple[Part, ...] = ()


WORK = {
    Category.NETWORK: Work(Action.RECONFIGURED, 20),
    Category.DISPLAY: Work(Action.REPLACED, 75, (Part(number="PNL-550", name="Panel 55″", quantity=1),)),
    Category.POWER: Work(Action.REPLACED, 30, (Part(number="BAT-18", name="Cell 18650", quantity=4),)),
    Category.AUDIO: Work(
        Action.REPAIRED,
        45,
        (Part(number="CBL-35", name="Cable 3.5 mm", quantity=1), Part(number="DRV-8Ω", name="Driver 8 Ω", quantity=2)),
    ),
    Category.SOFTWARE: Work(Action.RECONFIGURED, 15),
    Category.OTHER: Work(Action.EXPLAINED, 10),
}
MINUTES_PER_TAG = 5
SENIORS_ARE_FASTER = 2


@ticket.step(on="CustomerNotified", emits="TicketResolved")
def resolution(ticket: Ticket, validation: Validated, assignment: Assigned) -> Resolved:
    """Do the usual work of the category: longer for each known symptom, faster with experience."""
    action, minutes, parts = WORK[validation.category]
    minutes += MINUTES_PER_TAG * len(ticket.tags)
    if assignment.level is Level.SENIOR:
        minutes //= SENIORS_ARE_FASTER
    started_at = ticket.created_at + validation.respond_within / 2
    return Resolved(
        action=action,
        minutes=minutes,
        solved_at=started_at + timedelta(minutes=minutes),
        parts=list(parts),
    )

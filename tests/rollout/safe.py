"""Changes that `plan` calls safe, one after the other on a system that goes on all the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from change import Change, Edit
from modules import END, REJECTED

__all__ = ["CALM", "LAYOUT", "SAFE"]

LAYOUT: Final[Mapping[str, str]] = {
    "assignment": "dispatch",
    "notification": "dispatch",
    "billing": "office",
    "survey": "office",
    "ask": "inquiry",
    "thank": "inquiry",
}
"""The service of a step, where that is not one of its own."""

AUDIT: Final = """
from pydantic import BaseModel
from workflow import ticket

class Resolved(BaseModel):
    minutes: float

class Audited(BaseModel):
    minutes: float

@ticket.step(on="TicketResolved", emits="TicketAudited")
def audit(resolution: Resolved) -> Audited:
    return Audited(minutes=resolution.minutes)
"""

FILING: Final = """
from pydantic import BaseModel
from workflow import ticket

class Audited(BaseModel):
    minutes: float

class Filed(BaseModel):
    hours: float

@ticket.step(on="TicketAudited", emits="TicketFiled", ends="TicketFiled")
def filing(audit: Audited) -> Filed:
    return Filed(hours=audit.minutes / 60)
"""

ARCHIVE: Final = """
from pydantic import BaseModel
from workflow import ticket

class Surveyed(BaseModel):
    score: int

class Archived(BaseModel):
    is_good: bool

@ticket.step(on="SurveyAnswered", emits="TicketArchived", ends="TicketArchived")
def archive(survey: Surveyed) -> Archived:
    return Archived(is_good=survey.score > 3)
"""

ASK: Final = """
from pydantic import BaseModel
from workflow import ticket

class Assigned(BaseModel):
    expert: str

class Asked(BaseModel):
    question: str

@ticket.step(on="TicketAssigned", emits="ExpertAsked")
def ask(assignment: Assigned) -> Asked:
    return Asked(question=f"Is this for you, {assignment.expert}?")
"""

ANSWER: Final = """
from pydantic import BaseModel
from workflow import ticket

class Asked(BaseModel):
    question: str

class Answered(BaseModel):
    answer: str

@ticket.step(on="ExpertAsked", emits="ExpertAnswered")
def answer(ask: Asked) -> Answered:
    return Answered(answer="yes")
"""

THANK: Final = """
from pydantic import BaseModel
from workflow import ticket

class Answered(BaseModel):
    answer: str

class Thanked(BaseModel):
    text: str

@ticket.step(on="ExpertAnswered", emits="ExpertThanked", ends="ExpertThanked")
def thank(answer: Answered) -> Thanked:
    return Thanked(text=f"thank you for your {answer.answer}")
"""

DIAGNOSIS: Final = """
from pydantic import BaseModel
from workflow import ticket

class Validated(BaseModel):
    priority: str | None = None

class Diagnosed(BaseModel):
    cause: str

@ticket.step(on="CustomerInformed", emits="TicketDiagnosed")
def diagnosis() -> Diagnosed:
    return Diagnosed(cause="wear")
"""

CALM: Final = """
from pydantic import BaseModel
from workflow import ticket

class Calmed(BaseModel):
    present: str

@ticket.step(on="TicketRejected", emits="CustomerCalmed", ends="CustomerCalmed")
def calm() -> Calmed:
    return Calmed(present="a mug")
"""

SAFE: Final[Sequence[Change]] = [
    Change(
        name="field added early",
        edits=[
            Edit(
                "ticket", "order_number: str | None = None", 'order_number: str | None = None\n    source: str = "web"'
            )
        ],
    ),
    Change(
        name="field removed that nobody reads",
        edits=[
            Edit("assignment", "    team: str\n    expert: str", "    expert: str"),
            Edit("assignment", "        team=expert.team,\n", ""),
        ],
    ),
    Change(
        name="field promoted",
        edits=[
            Edit("resolution", "minutes: Annotated[int,", "minutes: Annotated[float,"),
            Edit("billing", "minutes: Annotated[int,", "minutes: Annotated[float,"),
            Edit("billing", "max(0, resolution.minutes -", "max(0, int(resolution.minutes) -"),
        ],
    ),
    Change(name="late listener on a middle event", added={"audit": AUDIT}, hears={"audit": END}),
    Change(name="observer of a declared end", added={"archive": ARCHIVE}, hears={"archive": END}),
    Change(
        name="services that listen to each other",
        added={"ask": ASK, "answer": ANSWER, "thank": THANK},
        hears={"ask": END, "answer": END, "thank": END},
    ),
    Change(
        name="enum narrowed by its writer",
        edits=[
            Edit("billing", '    JPY = "JPY"\n', ""),
            Edit("billing", '    "JP": Tariff(Currency.JPY, Decimal(1), Decimal("162.5"), Decimal("0.10")),\n', ""),
        ],
    ),
    Change(name="bound narrowed by its writer", edits=[Edit("resolution", "le=1000", "le=900")]),
    Change(name="view widened", edits=[Edit("billing", "le=1000", "le=5000")]),
    Change(
        name="enum grows with its reader",
        edits=[
            Edit("validation", '    HIGH = "HIGH"\n', '    HIGH = "HIGH"\n    URGENT = "URGENT"\n'),
            Edit("validation", "priority = Priority.HIGH if", "priority = Priority.URGENT if"),
            Edit(
                "validation",
                "    Priority.HIGH: timedelta(hours=4),\n",
                "    Priority.HIGH: timedelta(hours=4),\n    Priority.URGENT: timedelta(hours=1),\n",
            ),
            Edit("assignment", '    HIGH = "HIGH"\n', '    HIGH = "HIGH"\n    URGENT = "URGENT"\n'),
            Edit("assignment", "is Priority.HIGH else", "in {Priority.HIGH, Priority.URGENT} else"),
        ],
    ),
    Change(
        name="step stops reading another",
        edits=[Edit("resolution", ", notification: Notified)", ")")],
    ),
    Change(
        name="event renamed, expand",
        edits=[
            Edit("resolution", '"TicketResolved"', '"TicketSolved"'),
            Edit("billing", 'on="TicketResolved"', 'on=["TicketResolved", "TicketSolved"]'),
            Edit("audit", 'on="TicketResolved"', 'on=["TicketResolved", "TicketSolved"]'),
        ],
    ),
    Change(
        name="event renamed, contract",
        drains=True,
        edits=[
            Edit("billing", '["TicketResolved", "TicketSolved"]', '"TicketSolved"'),
            Edit("audit", '["TicketResolved", "TicketSolved"]', '"TicketSolved"'),
        ],
    ),
    Change(
        name="step split, expand",
        added={"diagnosis": DIAGNOSIS},
        edits=[
            Edit("notification", '"CustomerNotified"', '"CustomerInformed"'),
            Edit("resolution", 'on="CustomerNotified"', 'on=["CustomerNotified", "TicketDiagnosed"]'),
        ],
        hears={"diagnosis": END},
    ),
    Change(
        name="step split, contract",
        drains=True,
        edits=[Edit("resolution", '["CustomerNotified", "TicketDiagnosed"]', '"TicketDiagnosed"')],
    ),
    Change(
        name="end declared, with an observer",
        added={"filing": FILING},
        edits=[Edit("audit", 'emits="TicketAudited"', 'emits="TicketAudited", ends="TicketAudited"')],
        hears={"filing": END},
    ),
    Change(
        name="versions side by side",
        waits=3.0,
        edits=[
            Edit(
                "validation",
                "    respond_within: timedelta",
                "    respond_within: timedelta\n    confidence: float = 1.0",
            )
        ],
    ),
    Change(name="observer removed", drains=True, warns="event-no-longer-heard", removed=["archive"]),
    Change(name="observer of an outcome", added={"calm": CALM}, hears={"calm": REJECTED}),
    Change(
        name="event newly heard, old one stopped first",
        stops_first=True,
        warns="event-newly-heard",
        edits=[Edit("calm", 'on="TicketRejected"', 'on=["TicketRejected", "SurveyAnswered"]')],
        hears={"calm": END},
    ),
]

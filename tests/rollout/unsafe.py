"""Changes that `check` and `plan` call unsafe, each done all the same on a system of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from change import Change, Edit
from safe import CALM

__all__ = ["UNSAFE"]

DIAGNOSIS: Final = """
from pydantic import BaseModel
from workflow import ticket

class Diagnosed(BaseModel):
    cause: str

@ticket.step(on="CustomerNotified", emits="TicketDiagnosed")
def diagnosis() -> Diagnosed:
    return Diagnosed(cause="wear")
"""

APOLOGY: Final = """
from pydantic import BaseModel
from workflow import ticket

class Assigned(BaseModel):
    expert: str

class Apologized(BaseModel):
    text: str

@ticket.step(on=["TicketRejected", "SurveyAnswered"], emits="CustomerCalmed", ends="CustomerCalmed")
def apology(assignment: Assigned) -> Apologized:
    return Apologized(text=f"{assignment.expert} is sorry")
"""

UNSAFE: Final[Sequence[Change]] = [
    Change(
        name="field removed that is read",
        edits=[
            Edit("resolution", "    minutes: Annotated[int, Field(ge=0, le=1000)]\n    solved_at", "    solved_at"),
            Edit("resolution", "        minutes=minutes,\n", ""),
        ],
    ),
    Change(
        name="type changed",
        edits=[
            Edit("resolution", "minutes: Annotated[int, Field(ge=0, le=1000)]", "minutes: str"),
            Edit("resolution", "minutes=minutes,", "minutes=str(minutes),"),
        ],
    ),
    Change(
        name="enum grown without default",
        edits=[
            Edit("validation", '    HIGH = "HIGH"\n', '    HIGH = "HIGH"\n    URGENT = "URGENT"\n'),
            Edit("validation", "priority=priority,\n", "priority=Priority.URGENT,\n"),
        ],
    ),
    Change(
        name="Literal grown",
        edits=[
            Edit("notification", 'Literal["expert-found",', 'Literal["expert-found-today", "expert-found",'),
            Edit("notification", 'template="expert-found" if', 'template="expert-found-today" if'),
        ],
    ),
    Change(
        name="bound grown",
        edits=[
            Edit("resolution", "le=1000", "le=100000"),
            Edit("resolution", "minutes=minutes,", "minutes=minutes + 5000,"),
        ],
    ),
    Change(name="bound of a view narrowed", edits=[Edit("billing", "le=1000", "le=10")]),
    Change(
        name="UUID becomes text",
        edits=[
            Edit("billing", "invoice: UUID", "invoice: str"),
            Edit("billing", "uuid5(NAMESPACE_URL, context.workflow_id)", 'f"INV-{context.workflow_id}"'),
        ],
    ),
    Change(
        name="decimal scale changed",
        edits=[Edit("billing", "decimal_places=2", "decimal_places=4")],
    ),
    Change(
        name="view wants what nobody writes",
        edits=[Edit("survey", "    solved_at: datetime", "    solved_at: datetime\n    warranty: bool")],
    ),
    Change(name="event renamed at once", edits=[Edit("resolution", '"TicketResolved"', '"TicketSolved"')]),
    Change(
        name="step split, triggered twice",
        added={"diagnosis": DIAGNOSIS},
        edits=[Edit("resolution", 'on="CustomerNotified"', 'on=["CustomerNotified", "TicketDiagnosed"]')],
    ),
    Change(name="required view of a step that may not run", added={"apology": APOLOGY}),
    Change(name="step removed while used", removed=["notification"]),
    Change(
        name="promotion in the wrong order",
        order=["resolution", "billing"],
        edits=[
            Edit("resolution", "minutes: Annotated[int,", "minutes: Annotated[float,"),
            Edit("billing", "minutes: Annotated[int,", "minutes: Annotated[float,"),
            Edit("billing", "max(0, resolution.minutes -", "max(0, int(resolution.minutes) -"),
        ],
    ),
    Change(
        name="event newly heard, side by side",
        before={"calm": CALM},
        warns="event-newly-heard",
        waits=5.0,
        edits=[Edit("calm", 'on="TicketRejected"', 'on=["TicketRejected", "SurveyAnswered"]')],
    ),
    Change(
        name="event no longer heard, its queue not empty",
        before={"calm": CALM.replace('"TicketRejected"', '["TicketRejected", "SurveyAnswered"]')},
        warns="event-no-longer-heard",
        stops_first=True,
        waits=2.0,
        edits=[Edit("calm", 'on=["TicketRejected", "SurveyAnswered"]', 'on="TicketRejected"')],
    ),
]

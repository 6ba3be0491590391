"""The modules that a trial begins with: those of the ticket example, which enforce some things more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from change import Change, Edit, Modules, edited

__all__ = ["BASE", "END", "OWN", "REJECTED", "ROOT", "STARTING"]

ROOT: Final = Path(__file__).parent.parent.parent
sys.path.append(str(ROOT))  # `examples` is there; `stamp` is the one that is installed

STARTING: Final = "ticket"
OWN: Final = ("validation", "assignment", "notification", "resolution", "billing", "survey")
"""The steps of the example, but for the starting one, in the order in which a run passes them."""

END: Final = "SurveyAnswered"
REJECTED: Final = "TicketRejected"
"""How a run may end. One that is rejected passes the first step alone."""

BOUND: Final = "Annotated[int, Field(ge=0, le=1000)]"
TEMPLATES: Final = 'Literal["expert-found", "expert-found-with-interpreter"]'

ENFORCED: Final = Change(
    name="base",
    edits=[
        Edit("resolution", "from typing import NamedTuple", "from typing import Annotated, Literal, NamedTuple"),
        Edit("resolution", "from pydantic import BaseModel", "from pydantic import BaseModel, Field"),
        Edit("resolution", "minutes: int\n    solved_at", f"minutes: {BOUND}\n    solved_at"),
        Edit(
            "resolution", "class Action(", f"class Notified(BaseModel):\n    template: {TEMPLATES}\n\n\nclass Action("
        ),
        Edit("resolution", "assignment: Assigned)", "assignment: Assigned, notification: Notified)"),
        Edit("notification", "from pydantic import", "from typing import Literal\n\nfrom pydantic import"),
        Edit("notification", "template: str", f"template: {TEMPLATES}"),
        Edit("billing", "minutes: int\n    parts", f"minutes: {BOUND}\n    parts"),
        Edit(
            "billing",
            "from enum import StrEnum",
            "from enum import StrEnum\nfrom uuid import NAMESPACE_URL, UUID, uuid5",
        ),
        Edit("billing", "invoice: str", "invoice: UUID"),
        Edit("billing", 'f"INV-{context.workflow_id}"', "uuid5(NAMESPACE_URL, context.workflow_id)"),
        Edit("survey", "from enum import StrEnum", "from enum import StrEnum\nfrom uuid import UUID"),
        Edit("survey", "    currency: Currency\n    total", "    invoice: UUID\n    currency: Currency\n    total"),
    ],
)


def _example() -> Modules:
    folder = ROOT / "examples" / "ticket"
    files = {STARTING: "intake", **{step: step for step in OWN}}
    texts = {step: (folder / f"{name}.py").read_text() for step, name in files.items()}
    return {step: text.replace("from .workflow import", "from workflow import") for step, text in texts.items()}


BASE: Final[Modules] = edited(_example(), ENFORCED)

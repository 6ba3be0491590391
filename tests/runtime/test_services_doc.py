"""What docs/services.md shows in Python is what runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from stamp.runtime.reason import REASONS

BEFORE = """
from pydantic import BaseModel
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select
from stamp import StepContext, Workflow

class Ticket(BaseModel):
    customer: str
    description: str

class Resolved(BaseModel):
    total: int

class Billed(BaseModel):
    total: int

class Request(BaseModel):
    description: str

ticket = Workflow("ticket", contracts="none")
ticket.starts("ticket", Ticket, emits="TicketCreated")
invoices = Table("invoices", MetaData(), Column("run", Text), Column("total", Integer))

@ticket.step(on="TicketCreated", emits="TicketResolved")
def resolution(ticket: Request) -> Resolved:
    return Resolved(total=len(ticket.description))
"""

AFTER = """
with store.begin() as transaction:
    print(transaction.execute(select(invoices)).all())
"""

ELSEWHERE = {
    "postgresql://user@host/database": "sqlite:///stamp.db",
    "amqp://user:password@rabbit//": "memory://docs",
    'steps=["billing"]': "steps=None",
    "    worker.wait()": """
    import time
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with store.read() as connection:
            if connection.execute(select(invoices)).all():
                break
        worker.wait(0.05)
""",
    "with Publisher(": "with store.begin() as transaction:\n    invoices.create(transaction)\nwith Publisher(",
}
"""What stands for servers that are not here, and for a service that runs for ever."""


def test_the_snippets_bill_a_ticket(root: Path, tmp_path: Path) -> None:
    text = (root / "docs/services.md").read_text("utf-8")
    handler, program = re.findall(r"^ *```python\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    for there, here in ELSEWHERE.items():
        assert there in program
        program = program.replace(there, here)
    handler = re.sub(r"^  ", "", handler, flags=re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-"],
        input=BEFORE + handler + program + AFTER,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("[('4729', 5)]\n", "")


def test_every_reason_of_a_dead_letter_is_told(root: Path) -> None:
    rows = (root / "docs/services.md").read_text(encoding="utf-8").partition("| reason |")[2].partition("\n\n")[0]
    first_cells = re.findall(r"^\| (.*?) \|", rows, re.MULTILINE)
    told = [code for cell in first_cells for code in re.findall("`([a-z-]+)`", cell)]
    assert sorted(told) == sorted(REASONS)

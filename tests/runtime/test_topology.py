from __future__ import annotations

import subprocess
import sys

from stamp.runtime.topology import StepQueue, Topology

TICKET = Topology.of(
    "ticket",
    {
        "intake": (),
        "validation": ("TicketCreated",),
        "audit": ("TicketCreated", "TicketValidated", "TicketCreated"),
        "rescue": ("billing.failed",),
    },
)


def test_a_workflow_has_an_exchange_and_each_listening_step_a_queue():
    assert (
        Topology(
            "ticket",
            (
                StepQueue("ticket.validation", "validation", ("TicketCreated",)),
                StepQueue("ticket.audit", "audit", ("TicketCreated", "TicketValidated")),
                StepQueue("ticket.rescue", "rescue", ("billing.failed",)),
            ),
        )
        == TICKET
    )


def test_every_step_that_listens_to_an_event_gets_it():
    listeners = {
        event: [queue.step for queue in TICKET.listeners(event)]
        for event in ("TicketCreated", "TicketValidated", "billing.failed", "Nobody")
    }
    assert listeners == {
        "TicketCreated": ["validation", "audit"],
        "TicketValidated": ["audit"],
        "billing.failed": ["rescue"],
        "Nobody": [],
    }


def test_unheard_events_are_where_the_workflow_ends():
    emitted = ["Closed", "TicketCreated", "Closed", "billing.failed", "Paid"]
    assert TICKET.unheard(emitted) == ("Closed", "Paid")


def test_the_topology_is_known_without_kombu():
    code = "import sys, stamp, stamp.runtime.topology; sys.exit('kombu' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

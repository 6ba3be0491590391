from __future__ import annotations

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    ("event", "step", "is_end"),
    [
        ("Closed", "billing", True),  # nobody listens
        ("TicketCreated", "intake", False),
        ("TicketValidated", "validation", True),  # declared, whoever listens
        ("TicketValidated", "rescue", False),  # by the declaration of whoever publishes it
        ("billing.failed", "billing", True),
        ("TicketValidated", "", False),
    ],
)
def test_a_run_ends_by_the_declaration_of_its_publisher_or_where_nobody_listens(event, step, is_end):
    ends = {"validation": ["TicketValidated"], "billing": ["billing.failed"]}
    steps = {queue.step: queue.events for queue in TICKET.queues}
    assert Topology.of("ticket", steps, ends).is_end(event, step) is is_end


@pytest.mark.parametrize(
    ("event", "step", "is_loose"),
    [
        ("Closed", "billing", True),
        ("Billed", "billing", False),
        ("billing.failed", "billing", False),
        ("TicketCreated", "intake", False),  # somebody listens
        ("Billed", "intake", True),  # by the declaration of whoever publishes it
    ],
)
def test_an_end_is_loose_where_others_are_declared(event, step, is_loose):
    steps = {"intake": (), "audit": ("TicketCreated",), "billing": ("TicketCreated",)}
    fails = {"billing": "billing.failed"}
    assert Topology.of("ticket", steps, {"billing": ["Billed"]}, fails).is_loose_end(event, step) is is_loose
    assert not Topology.of("ticket", steps, {}, fails).is_loose_end(event, step)


def test_the_topology_is_known_without_kombu():
    code = "import sys, stamp, stamp.runtime.topology; sys.exit('kombu' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

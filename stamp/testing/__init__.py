"""For the tests of workflows; nothing else of stamp imports it.

A handler is a function: call it. A hop is `workflow.process`: bytes in, bytes out. For all steps together, and for what brokers do
to messages, there is `Simulation`. It needs no plugin:

    @pytest.mark.parametrize("seed", range(20))
    def test_every_ticket_ends(seed):
        simulation = Simulation(ticket, seed=seed, duplicate=0.2, reorder=0.5, crash=0.1)
        simulation.start(Ticket(...), workflow_id="4729")
        assert simulation.run().final("4729").state()["priority"] == "HIGH"
"""

from stamp.testing.clock import VirtualClock
from stamp.testing.simulation import Simulation

__all__ = ["Simulation", "VirtualClock"]

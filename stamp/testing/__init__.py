"""For the tests of workflows; nothing else of stamp imports it.

A handler is a function: call it. A hop is `workflow.process`: bytes in, bytes out. For all steps together, and for what brokers do
to messages, there is `Simulation`. It needs no plugin:

    @pytest.mark.parametrize("seed", range(20))
    def test_every_ticket_ends(seed):
        simulation = Simulation(ticket, seed=seed, duplicate=0.2, reorder=0.5, crash=0.1)
        simulation.start(Ticket(...), workflow_id="4729")
        assert simulation.run().final("4729").state()["priority"] == "HIGH"

What a handler raises is tried again by the policy of a worker, on a clock that does not wait, and what no attempt can do is among
`simulation.dead_letters`; `simulation.waiting` says what has not been answered, and why.

`stamp.testing.strategies` has Avro schemas, their evolutions and data for hypothesis, `stamp.testing.pytest_plugin` the fixtures that
pytest finds by itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stamp.testing.clock import VirtualClock
    from stamp.testing.simulation import Simulation
    from stamp.testing.waiting import Waiting

__all__ = ["Simulation", "VirtualClock", "Waiting"]

_MODULES = {
    "Simulation": "stamp.testing.simulation",
    "VirtualClock": "stamp.testing.clock",
    "Waiting": "stamp.testing.waiting",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for (PEP 562): the plugin is loaded with every pytest, and needs none at first."""
    if name in _MODULES:
        found = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

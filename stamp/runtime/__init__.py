"""How events travel: topology, transports, and what runs the steps of a workflow on them.

This is the only layer that knows kombu. `topic` and `topology` are pure and do without it, and a play needs no database: so a name is
imported when it is first asked for (PEP 562). No name may be that of a module here: who imports the module would replace it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stamp.runtime.player import play
    from stamp.runtime.policy import Policy
    from stamp.runtime.publisher import Publisher
    from stamp.runtime.retry import Retry
    from stamp.runtime.worker import Worker

__all__ = ["Policy", "Publisher", "Retry", "Worker", "play"]

_MODULES = {
    "Policy": "policy",
    "Publisher": "publisher",
    "Retry": "retry",
    "Worker": "worker",
    "play": "player",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

"""Workflow state that travels inside the workflow's own messages."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stamp.envelope import Contribution, Envelope, Failure, Limits, Outcome
    from stamp.errors import StampError
    from stamp.workflow import Fail, From, Outgoing, StepContext, Workflow

__version__ = "0.1.0"

__all__ = [
    "Contribution",
    "Envelope",
    "Fail",
    "Failure",
    "From",
    "Limits",
    "Outcome",
    "Outgoing",
    "StampError",
    "StepContext",
    "Workflow",
    "__version__",
]

_NAMES = {
    "stamp.envelope": ("Contribution", "Envelope", "Failure", "Limits", "Outcome"),
    "stamp.errors": ("StampError",),
    "stamp.workflow": ("Fail", "From", "Outgoing", "StepContext", "Workflow"),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for (PEP 562): `stamp --help` needs none of them, and pydantic alone takes 80 ms."""
    if name in {"envelope", "errors", "schema", "workflow"}:
        return import_module(f"stamp.{name}")
    for module, names in _NAMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(module), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

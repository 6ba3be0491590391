"""Workflows: steps, contracts, one hop, and how far a run has come."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stamp.workflow.context import StepContext
    from stamp.workflow.fail import Fail
    from stamp.workflow.migration import export
    from stamp.workflow.outgoing import Outgoing
    from stamp.workflow.progress import Progress
    from stamp.workflow.step import Emission, From, Read, Step
    from stamp.workflow.workflow import Workflow

__all__ = ["Emission", "Fail", "From", "Outgoing", "Progress", "Read", "Step", "StepContext", "Workflow", "export"]

_NAMES = {
    "stamp.workflow.context": ("StepContext",),
    "stamp.workflow.fail": ("Fail",),
    "stamp.workflow.migration": ("export",),
    "stamp.workflow.outgoing": ("Outgoing",),
    "stamp.workflow.progress": ("Progress",),
    "stamp.workflow.step": ("Emission", "From", "Read", "Step"),
    "stamp.workflow.workflow": ("Workflow",),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for (PEP 562): who reads contracts needs no models, and pydantic alone takes 80 ms."""
    for module, names in _NAMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(module), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Documents of a workflow at a broker: the name of the place where they are kept, and their media type."""

from __future__ import annotations

from typing import Final

__all__ = ["DOCUMENT_TYPE", "directory_name"]

DOCUMENT_TYPE: Final = "application/vnd.stamp.contract.v1+json"


def directory_name(workflow: str) -> str:
    """Return the name of the directory of `workflow`. No queue has it, because no step is called `stamp`."""
    return f"{workflow}.stamp.directory"

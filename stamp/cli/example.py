"""The example workflow, wherever it is: within the installed package, or beside it in a checkout."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import NamedTuple

from stamp.errors import InputError
from stamp.workflow.workflow import Workflow

__all__ = ["Example", "example"]


class Example(NamedTuple):
    """A workflow, how a command line names it, and the lines of JSON that it can be played with."""

    workflow: Workflow
    target: str
    lines: list[bytes]


def example() -> Example:
    """Return the example `ticket`.

    Raises:
        InputError: it is not there.
    """
    for package in ("stamp.examples", "examples"):
        if find_spec(package) is not None and find_spec(f"{package}.ticket") is not None:
            name = f"{package}.ticket"
            lines = files(name).joinpath("tickets.jsonl").read_bytes().splitlines(keepends=True)
            return Example(import_module(name).ticket, f"{name}:ticket", lines)
    raise InputError("expected the example stamp.examples.ticket in the installed package, and it is not there")

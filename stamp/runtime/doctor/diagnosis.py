"""What was looked at, and how it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Diagnosis", "State", "judged", "ok", "problem", "release", "warning"]


class State(StrEnum):
    """How something is. A warning is what may be meant so, a problem is not."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Diagnosis(NamedTuple):
    """How one thing is: `what` was looked at, what was `found`, and what to set or do about it, if anything."""

    what: str
    state: State
    found: str
    advice: str = ""


def ok(what: str, found: str, advice: str = "") -> Diagnosis:
    """Return that all is well."""
    return Diagnosis(what, State.OK, found, advice)


def warning(what: str, found: str, advice: str) -> Diagnosis:
    """Return that something may be wrong."""
    return Diagnosis(what, State.WARNING, found, advice)


def problem(what: str, found: str, advice: str) -> Diagnosis:
    """Return that something is wrong."""
    return Diagnosis(what, State.PROBLEM, found, advice)


def judged(what: str, found: str, states: Mapping[State, bool], advice: str) -> Diagnosis:
    """Return the first of `states` that holds, else that all is well: then nothing is advised."""
    state = next((state for state, holds in states.items() if holds), State.OK)
    return Diagnosis(what, state, found, "" if state is State.OK else advice)


def release(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with, none if it begins otherwise: `3.10.8` and `16beta1` are 3, 10, 8 and 16."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()

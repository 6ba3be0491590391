"""Flows as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from stamp.cli.flow import Event, Flow, Step

__all__ = ["VERSION", "render"]

VERSION: Final = 1
"""The version of the form. Within one, keys come and none goes; no key changes its meaning."""


def render(flows: Iterable[Flow]) -> str:
    """Return a JSON object, in ASCII."""
    return json.dumps({"version": VERSION, "workflows": list(map(_flow, flows))}, indent=2)


def _flow(flow: Flow) -> dict[str, Any]:
    return {
        "workflow": flow.workflow,
        "steps": list(map(_step, flow.steps)),
        "events": list(map(_event, flow.events)),
        "missing": list(flow.missing),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "layer": step.layer,
        "start": step.is_start,
        "reached": step.is_reached,
        "fails": step.fails,
        "reads": [
            {"step": read.producer, "fields": list(read.fields), "optional": read.is_optional} for read in step.reads
        ],
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "event": event.name,
        "publishers": list(event.publishers),
        "listeners": list(event.listeners),
        "failure": event.is_failure,
        "end": event.is_end,
    }

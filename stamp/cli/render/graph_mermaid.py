"""A flow as a Mermaid flowchart, which GitHub and GitLab show in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stamp.cli.flow import Event, Flow, Step
from stamp.cli.render.visible import visible

__all__ = ["render"]

MAX_LINE: Final = 28
"""Letters on a line of a label."""


def render(flow: Flow) -> str:
    """Return a flowchart: boxes for steps, arrows for events, rounded boxes for events that nobody listens to, dashes for reads."""
    return "\n".join(["flowchart TD", *(f"    {line}" for line in _lines(flow)), *_CLASSES])


def _lines(flow: Flow) -> Iterator[str]:
    for step in flow.steps:
        yield f"{_step_id(step.name)}{_shape(step)}"
    for name in flow.missing:
        yield f"{_step_id(name)}[{_label(name, 'there is no such step')}]:::lost"
    for event in flow.events:
        yield from _event(event)
    for step in flow.steps:
        for read in step.reads:
            fields = _label(*_folded(read.fields), *(["may be absent"] if read.is_optional else []))
            yield f"{_step_id(read.producer)} -. {fields} .-> {_step_id(step.name)}"


def _shape(step: Step) -> str:
    text = _label(step.name, *([f"fails: {step.fails}"] if step.fails is not None else []))
    kind = "start" if step.is_start else "step" if step.is_reached else "lost"
    return f"([{text}]):::{kind}" if step.is_start else f"[{text}]:::{kind}"


def _event(event: Event) -> Iterator[str]:
    ends = [] if event.publishers and event.listeners and not event.is_end else [_event_id(event.name)]
    if ends:
        kind = "failure" if event.is_failure else "final" if event.is_end else "lost"
        yield f"{ends[0]}([{_label(event.name)}]):::{kind}"
    arrow = "==>" if event.is_failure else "-->"
    targets = list(map(_step_id, event.listeners))
    for publisher in map(_step_id, event.publishers):
        yield from (f"{publisher} {arrow}|{_label(event.name)}| {target}" for target in targets)
        yield from (f"{publisher} {arrow} {end}" for end in ends)
    if not event.publishers:
        yield from (f"{ends[0]} {arrow} {target}" for target in targets)


def _step_id(name: str) -> str:
    return f"step_{_ESCAPED.sub(_code, name)}"


def _event_id(name: str) -> str:
    return f"event_{_ESCAPED.sub(_code, name)}"


_ESCAPED: Final = re.compile(r"[^A-Za-z0-9]")


def _code(found: re.Match[str]) -> str:
    """Return what stands for a letter that an id cannot have, so that no two names have one id."""
    return "__" if found[0] == "_" else f"_{ord(found[0]):x}_"


def _label(*lines: str) -> str:
    """Return quoted text, in which nothing is markup (Mermaid, "Special characters that break syntax")."""
    shown = [_MARKUP.sub(lambda found: f"#{ord(found[0])};", visible(line)) for line in lines]
    return f'"{"<br>".join(shown) or " "}"'


_MARKUP: Final = re.compile(r"[^A-Za-z0-9 _.,:()-]")


def _folded(fields: tuple[str, ...]) -> Iterator[str]:
    line = ""
    for field in (*(f"{field}," for field in fields[:-1]), *fields[-1:]):
        if line and len(line) + 1 + len(field) > MAX_LINE:
            yield line
            line = ""
        line = f"{line} {field}" if line else field
    if line:
        yield line


_CLASSES: Final = (
    "    classDef start stroke-width:3px",
    "    classDef step stroke-width:1px",
    "    classDef final stroke-width:3px",
    "    classDef failure stroke:#cf222e,stroke-width:2px",
    "    classDef lost stroke:#cf222e,stroke-dasharray:4 3",
)
"""Styles that are readable on a light page and on a dark one: outlines alone."""

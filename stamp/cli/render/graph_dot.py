"""A flow in the language of Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stamp.cli.flow import Event, Flow, Step
from stamp.cli.render.visible import visible

__all__ = ["render"]


def render(flow: Flow) -> str:
    """Return a digraph: boxes for steps, arrows for events, ellipses for events that nobody listens to, dashes for reads."""
    return "\n".join([f"digraph {_quoted(flow.workflow)} {{", *(f"  {line};" for line in _lines(flow)), "}"])


def _lines(flow: Flow) -> Iterator[str]:
    yield from ('graph [rankdir="TB" fontname="monospace"]', 'node [shape="box" style="rounded" fontname="monospace"]')
    yield 'edge [fontname="monospace" fontsize="10"]'
    for step in flow.steps:
        yield f"{_step(step.name)}{_attributes(_look(step))}"
    for name in flow.missing:
        yield f"{_step(name)}{_attributes({'label': f'{name}{_NEWLINE}there is no such step'} | LOST)}"
    for event in flow.events:
        yield from _event(event)
    for step in flow.steps:
        for read in step.reads:
            label = _NEWLINE.join((*read.fields, *(["may be absent"] if read.is_optional else [])))
            yield f"{_step(read.producer)} -> {_step(step.name)}{_attributes({'label': label} | READ)}"


_NEWLINE: Final = "\n"
LOST: Final = {"style": "dashed", "color": "#cf222e"}
FAILURE: Final = {"color": "#cf222e"}
READ: Final = {"style": "dashed", "color": "#6e7781", "fontcolor": "#6e7781", "constraint": "false"}


def _look(step: Step) -> Mapping[str, str]:
    label = step.name if step.fails is None else f"{step.name}{_NEWLINE}fails: {step.fails}"
    return {"label": label} | ({"penwidth": "2"} if step.is_start else {} if step.is_reached else LOST)


def _event(event: Event) -> Iterator[str]:
    colour = FAILURE if event.is_failure else {}
    is_node = event.is_end or not event.publishers or not event.listeners
    if is_node:
        kind = {} if event.is_end or event.is_failure else LOST
        yield f"{_end(event.name)}{_attributes({'label': event.name, 'shape': 'ellipse'} | colour | kind)}"
    for publisher in event.publishers:
        for listener in event.listeners:
            yield f"{_step(publisher)} -> {_step(listener)}{_attributes({'label': event.name} | colour)}"
        if is_node:
            yield f"{_step(publisher)} -> {_end(event.name)}{_attributes(colour)}"
    if not event.publishers:
        yield from (f"{_end(event.name)} -> {_step(listener)}" for listener in event.listeners)


def _step(name: str) -> str:
    return _quoted(f"step {name}")


def _end(name: str) -> str:
    return _quoted(f"event {name}")


def _attributes(given: Mapping[str, str]) -> str:
    return f" [{' '.join(f'{name}={_quoted(value)}' for name, value in given.items())}]" if given else ""


def _quoted(text: str) -> str:
    r"""Return a quoted string. A backslash is doubled as labels know escapes of their own; `\n` centres what is before it."""
    lines = (visible(line).replace("\\", r"\\").replace('"', r"\"") for line in text.split(_NEWLINE))
    return '"' + r"\n".join(lines) + '"'

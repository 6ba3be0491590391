"""Flows for people, in a terminal: each step with what it listens to, reads and publishes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from stamp.cli.flow import Event, Flow, Read, Step
from stamp.cli.render.visible import visible
from stamp.ripple.wording import listed

__all__ = ["render"]


def render(flows: Iterable[Flow]) -> str:
    """Return text with the colours of a terminal: a part for each workflow, in it one for each step in the order of a run."""
    return "\n\n".join("\n".join(_flow(flow)) for flow in flows)


def _flow(flow: Flow) -> Iterator[str]:
    yield click.style(visible(f"Workflow {flow.workflow}"), bold=True)
    for step in flow.steps:
        yield from ("", *_step(step, flow))


def _step(step: Step, flow: Flow) -> Iterator[str]:
    heard = [event.name for event in flow.events if step.name in event.listeners]
    note = "starts runs" if step.is_start else f"on {listed(heard)}"
    lost = "" if step.is_reached else click.style("  no event reaches it", fg="red")
    yield f"{click.style(visible(step.name), bold=True)}  {click.style(visible(note), dim=True)}{lost}"
    yield from (_read(read, flow) for read in step.reads)
    yield from (_event(event) for event in flow.events if step.name in event.publishers)
    if step.fails is not None:
        yield _line("fails", f"{step.fails}, nobody listens")


def _read(read: Read, flow: Flow) -> str:
    notes = [note for note, holds in _NOTES if holds(read, flow)]
    more = f" ({', '.join(notes)})" if notes else ""
    return _line("reads", f"{read.producer}: {', '.join(read.fields) or 'no field'}{more}")


_NOTES = (
    ("may be absent", lambda read, flow: read.is_optional),
    ("there is no such step", lambda read, flow: read.producer in flow.missing),
)


def _event(event: Event) -> str:
    to = f" → {listed(event.listeners)}" if event.listeners else ""
    end = ", an end" if event.is_end else "" if event.listeners else ", nobody listens"
    return _line("fails" if event.is_failure else "emits", f"{event.name}{to}{end}")


def _line(label: str, text: str) -> str:
    return f"  {click.style(label, dim=True)}  {visible(text)}"

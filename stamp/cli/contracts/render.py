"""What services have announced, as a table for each workflow, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from stamp.cli.render.findings import REPORTED
from stamp.cli.render.quantity import counted
from stamp.cli.render.table import Col, FittingTable
from stamp.cli.render.visible import visible
from stamp.schema.values import instant
from stamp.workflow.announced import Announced, AnnouncedStep
from stamp.workflow.announcement import CONTRACT, LISTENER, SCHEMA, AnnouncedSchema
from stamp.workflow.declaration import FILE

__all__ = ["VERSION", "Listing", "document", "text"]

VERSION: Final = 1
"""The version of the JSON form. Within one, keys come and none goes; no key changes its meaning."""

ROWS: Final = 1_000
NAMED: Final = 20
LONGEST: Final = 300
"""Steps of a workflow, names of one step, and characters of a key that people are shown; the JSON form has all."""


class Listing(NamedTuple):
    """What is announced of a workflow; `times` says for each document when, in microseconds, where that is known."""

    workflow: str
    found: Announced
    times: Mapping[str, int | None]

    @property
    def steps(self) -> Sequence[str]:
        """The steps of which anything is known, sorted."""
        return sorted({*self.found.steps, *self.found.listeners, *self.found.removed})

    def time(self, step: str) -> int | None:
        """When the contract of a step, or a version that it writes, was last announced."""
        keys = [key for key in self.times if _step_of(key) == step and not key.startswith(LISTENER)]
        return max((time for key in keys if (time := self.times[key]) is not None), default=None)

    def seen(self, step: str) -> int | None:
        """When a worker has last said that it listens for a step; None if nobody listens."""
        return self.times.get(f"{LISTENER}{step}") if self.found.listeners.get(step) else None


def _step_of(key: str) -> str:
    parts = key.split("/")
    return parts[2] if key.startswith(SCHEMA) and len(parts) > 2 else parts[1] if len(parts) > 1 else ""


def text(address: str, listings: Sequence[Listing]) -> RenderableType:
    """Return listings for people."""
    if not any(each.steps or each.found.faults for each in listings):
        return Text(visible(f"nothing is announced in {address}"))
    parts = [part for each in listings for part in (*_listing(address, each), Text())]
    return Group(*parts[:-1])


def _listing(address: str, listing: Listing) -> Iterator[RenderableType]:
    yield Text(visible(f"{listing.workflow} in {address}"), "bold")
    table = FittingTable(
        Col("step"),
        Col("writes", share=1),
        Col("its queue gets", share=1, least=80),
        Col("announced", least=60),
        Col("worker seen", least=100),
    )
    for step in listing.steps[:ROWS]:
        table.add_row(
            step,
            _written(listing.found, step),
            _heard(listing.found.listeners.get(step)),
            _moment(listing.time(step)),
            _moment(listing.seen(step)),
        )
    yield table
    if len(listing.steps) > ROWS:
        yield Text(f"... and {counted(len(listing.steps) - ROWS, 'step')} more", "dim")
    broken = (f"{step}: its contract cannot be used: {why}" for step, why in listing.found.broken.items())
    faults = (f"{fault.key[:LONGEST]}: cannot be used: {fault.why}" for fault in listing.found.faults)
    said = [*broken, *faults]
    yield from map(_left_out, said[:REPORTED])
    if len(said) > REPORTED:
        yield _left_out(f"... and {len(said) - REPORTED:,} more")


def _left_out(said: str) -> Text:
    return Text(visible(said), "red")


def _moment(time: int | None) -> str:
    return "-" if time is None else f"{instant(time):%Y-%m-%d %H:%M:%S}"


def _written(found: Announced, step: str) -> str | Text:
    if step in found.steps:
        return _first([_version(each) for each in _sorted(found.steps[step])])
    return Text("removed" if step in found.removed else "no contract", "dim")


def _heard(events: tuple[str, ...] | None) -> Text:
    if events is None:
        return Text("has none", "dim")
    return Text(_first(events)) if events else Text("nothing", "dim")


def _first(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def _sorted(step: AnnouncedStep) -> Sequence[AnnouncedSchema]:
    return sorted(step.schemas, key=lambda each: (each.name, each.version, each.id))


def _version(schema: AnnouncedSchema) -> str:
    return f"{schema.name}.v{schema.version}"


def document(address: str, listings: Sequence[Listing]) -> dict[str, Any]:
    """Return listings in JSON values."""
    return {
        "version": VERSION,
        "address": address,
        "workflows": [
            {
                "workflow": each.workflow,
                "steps": [_step(each, step) for step in each.steps],
                "unusable": [fault._asdict() for fault in each.found.faults],
            }
            for each in listings
        ],
    }


def _step(listing: Listing, step: str) -> dict[str, Any]:
    contract = listing.found.steps.get(step)
    said = (contract.said if contract is not None else None) or {}
    heard = listing.found.listeners.get(step)
    return {
        "step": step,
        "on": said.get("on"),
        "emits": said.get("emits"),
        "reads": sorted(said.get("reads", ())),
        "schemas": [_schema(listing, each) for each in (_sorted(contract) if contract is not None else ())],
        "queue": None if heard is None else list(heard),
        "broken": listing.found.broken.get(step),
        "removed": step in listing.found.removed,
        "contract_announced_at": _time(listing.times.get(f"{CONTRACT}{step}/{FILE}")),
        "queue_announced_at": _time(listing.times.get(f"{LISTENER}{step}")),
    }


def _schema(listing: Listing, schema: AnnouncedSchema) -> dict[str, Any]:
    return {
        "name": schema.name,
        "number": schema.version,
        "id": str(schema.id),
        "announced_at": _time(listing.times.get(schema.key)),
    }


def _time(micros: int | None) -> str | None:
    return None if micros is None else instant(micros).isoformat()

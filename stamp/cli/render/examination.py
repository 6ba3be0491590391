"""What an examination has found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from stamp.cli.render.quantity import counted
from stamp.cli.render.table import Col, FittingTable
from stamp.cli.render.visible import visible
from stamp.runtime.doctor.diagnosis import Diagnosis, State
from stamp.runtime.doctor.examination import Examination

__all__ = ["VERSION", "document", "summary", "text"]

VERSION: Final = 1
"""The version of the JSON form. Within one, keys come and none goes; no key changes its meaning."""

STYLES: Final[Mapping[State, str]] = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "bold red"}


def text(examination: Examination, diagnoses: Sequence[Diagnosis]) -> RenderableType:
    """Return an examination for people."""
    table = FittingTable(Col(), Col(), Col(share=1))
    for each in diagnoses:
        said = Text(visible(each.found))
        if each.advice:
            said.append(f"\n{visible(each.advice)}", "dim" if each.state is State.OK else "")
        table.add_row(Text(each.state, STYLES[each.state]), Text(visible(each.what)), said)
    return Group(Text(visible(f"{examination.subject} {examination.address}"), "bold"), table, Text())


def summary(found: Counter[State]) -> Text:
    """Return how many things are how."""
    told = [
        f"{found[State.OK]:,} ok",
        counted(found[State.WARNING], "warning"),
        counted(found[State.PROBLEM], "problem"),
    ]
    worst = next((state for state in (State.PROBLEM, State.WARNING) if found[state]), State.OK)
    return Text(", ".join(told), STYLES[worst])


def document(examined: Sequence[tuple[Examination, Sequence[Diagnosis]]], found: Counter[State]) -> dict[str, Any]:
    """Return examinations in JSON values."""
    return {
        "version": VERSION,
        "failed": bool(found[State.PROBLEM]),
        "summary": {state.value: found[state] for state in State},
        "examinations": [
            {
                "subject": examination.subject,
                "address": examination.address,
                "diagnoses": [each._asdict() | {"state": each.state.value} for each in diagnoses],
            }
            for examination, diagnoses in examined
        ],
    }

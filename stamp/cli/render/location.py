"""Where in the present files something is to be shown. What stands in a baseline is in no file that a reader of a report can open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from stamp.cli.verdict import Verdict
from stamp.compat import Fragment
from stamp.ripple import Impact
from stamp.ripple.foreign import is_contract_file
from stamp.workflow.declaration import FILE

__all__ = ["Location", "located", "location", "other_side"]


class Location(NamedTuple):
    """A place in a file, which is called as in the repository. Lines and columns count from 1, columns in characters."""

    file: str
    line: int | None = None
    column: int | None = None


def location(impact: Impact, verdict: Verdict) -> Location | None:
    """Return where an impact is to be shown: what has to be changed, else what stands against it, else the step that it is about."""
    return next(_locations(impact, verdict), None)


def other_side(impact: Impact, verdict: Verdict) -> Location | None:
    """Return where the other side of an impact stands, the view or the version that it is not shown at."""
    found = [located(each, verdict) for each in (impact.finding.reader, impact.finding.writer)]
    return found[1] if None not in found and found[0] != found[1] else None


def located(fragment: Fragment | None, verdict: Verdict) -> Location | None:
    """Return where a fragment stands, None if that is in no present file."""
    if fragment is None or fragment.file is None or not _is_present(fragment.file, verdict):
        return None
    file = verdict.checkout.name(fragment.file) or Path(fragment.file).as_posix()
    return Location(file, fragment.line, fragment.column)


SETTINGS: Final = frozenset({"pyproject.toml", "stamp.toml"})


def _is_present(file: str, verdict: Verdict) -> bool:
    path = Path(file)
    if path.is_relative_to(verdict.schemas):
        return is_contract_file(path.relative_to(verdict.schemas).as_posix())
    return path.name in SETTINGS


def _locations(impact: Impact, verdict: Verdict) -> Iterator[Location]:
    for fragment in (impact.finding.reader, impact.finding.writer):
        if (found := located(fragment, verdict)) is not None:
            yield found
    graph = verdict.report.graph.get(impact.workflow)
    present = {party.step for party in graph.parties} if graph is not None else set()
    for step in (impact.consumer, impact.producer):
        if step in present and step is not None:
            home = verdict.schemas / impact.workflow / step / FILE
            yield Location(verdict.checkout.name(home) or home.as_posix())

"""A verdict as workflow commands of GitHub Actions, which become annotations of a pull request.

GitHub shows ten annotations of each level a step, so what matters most comes first ("Workflow commands for GitHub Actions").
"""

from __future__ import annotations

from typing import Final

from stamp.cli.render.impact import details, ordered, summary, title
from stamp.cli.render.location import location
from stamp.cli.render.visible import visible
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple import Impact

__all__ = ["render"]

COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY: Final = DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(verdict: Verdict) -> str:
    """Return a command for each impact that nobody has accepted, and a last line for the log."""
    lines = [_command(impact, verdict) for impact in ordered(verdict.impacts)]
    return "\n".join([*lines, f"stamp check: {visible(summary(verdict))}"])


def _command(impact: Impact, verdict: Verdict) -> str:
    place = location(impact, verdict)
    file, line, column = place or (None, None, None)
    given = {"file": file, "line": line, "col": column, "title": f"{title(impact)} ({impact.finding.rule})"}
    properties = ",".join(
        f"{name}={visible(str(value)).translate(PROPERTY)}" for name, value in given.items() if value is not None
    )
    return f"::{COMMANDS[impact.finding.severity]} {properties}::{_message(impact)}"


def _message(impact: Impact) -> str:
    texts = [impact.finding.message, *(f"{each.label}: {each.text}" for each in details(impact))]
    return "\n".join(map(visible, texts)).translate(DATA)

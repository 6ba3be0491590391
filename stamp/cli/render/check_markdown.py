"""A verdict in Markdown, for the summary of a job or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from stamp.cli.render.impact import details, ordered, summary, title
from stamp.cli.render.location import location
from stamp.cli.render.markdown import code, row, text
from stamp.cli.render.plan_markdown import accepted, rollout, who
from stamp.cli.render.quantity import counted
from stamp.cli.render.visible import visible
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple import Impact

__all__ = ["render"]

REPORTED: Final = 40
"""How many impacts are told: a comment on GitHub may have 65,536 characters."""


def render(verdict: Verdict) -> str:
    """Return what breaks as a table, the details folded away, and the order of deployment."""
    impacts = ordered(verdict.impacts)
    told, left = impacts[:REPORTED], len(impacts) - REPORTED
    parts = [
        f"### stamp check: {text(summary(verdict))}",
        "\n".join(_table(told)),
        f"... and {counted(left, 'finding')} more." if left > 0 else "",
        *(_details(impact, verdict) for impact in told),
        *(rollout(each) for each in verdict.report.rollouts),
        _accepted(verdict.accepted[:REPORTED]),
    ]
    return "\n\n".join(filter(None, parts))


def _table(impacts: Iterable[Impact]) -> Iterator[str]:
    rows = [row(_severity(each), who(each), code(each.finding.path), text(title(each))) for each in impacts]
    if rows:
        yield from (row("", "Step", "Where", "What"), row("---", "---", "---", "---"), *rows)


def _severity(impact: Impact) -> str:
    severity = impact.finding.severity
    return f"**{severity}**" if severity is Severity.ERROR else severity.value


def _details(impact: Impact, verdict: Verdict) -> str:
    consumer = escape(visible(impact.consumer or impact.producer or impact.workflow))
    head = f"<code>{consumer}</code>, <code>{escape(visible(impact.finding.path))}</code>: {impact.finding.rule}"
    said = "\n".join(_said(impact, verdict))
    return f"<details><summary>{head}</summary>\n\n{text(impact.finding.message)}\n\n{said}\n\n</details>"


def _said(impact: Impact, verdict: Verdict) -> Iterator[str]:
    place = location(impact, verdict)
    if place is not None:
        yield f"- where: {code(f'{place.file}:{place.line}' if place.line else place.file)}"
    for detail in details(impact):
        yield f"- {detail.label}: {code(detail.text) if detail.label == 'example' else text(detail.text)}"


def _accepted(impacts: Sequence[Impact]) -> str:
    return f"<details><summary>Accepted</summary>\n\n{accepted(impacts)}\n\n</details>" if impacts else ""

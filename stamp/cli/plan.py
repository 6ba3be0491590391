"""`stamp plan`: in which order to deploy what has changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from stamp.cli.against import baseline_options
from stamp.cli.judging import Scope, judged
from stamp.cli.main_branch import main_branch
from stamp.cli.reviewed import reviewed_folder
from stamp.cli.terminal import is_coloured, spelled, width
from stamp.errors import InputError
from stamp.ripple import Report
from stamp.workflow.settings import contracts_folder

__all__ = ["FORMATS", "command"]

FORMATS: Final = ("text", "json", "markdown")
"""Each is `render(verdict)` in `stamp.cli.render.plan_<name>`, which is imported when it is asked for."""


@click.command(short_help="Say in which order to deploy what has changed.")
@click.argument("schemas", required=False, type=click.Path(path_type=Path))
@baseline_options(
    "What runs now: a git branch (where this branch left it), a tag or commit (exactly that), a folder, a .tar file, or what services have announced: store:URL, broker:URL. Several if need be.  "
    "[default: the main branch]"
)
@click.option("--workflow", metavar="NAME", multiple=True, help="Only this workflow. Several if need be.")
@click.option(
    "--by-hand",
    metavar="STEP",
    multiple=True,
    help="No announcement reaches its service: its catalog is fixed, or it runs without our workers. Several if need be.  "
    '[default: all, if the settings say store = "none" and no broker; else none]',
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="How.  [default: text]")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Judge as on this day.")
def command(
    *,
    schemas: Path | None,
    against: tuple[str, ...],
    require_baseline: bool,
    workflow: tuple[str, ...],
    by_hand: tuple[str, ...],
    format_: str,
    today: datetime | None,
) -> None:
    """Say in which order to deploy what has changed, so that at no moment old and new services break one another.

    SCHEMAS is the contracts folder, by default that of the settings, or ./schemas. Steps of one phase may be deployed at the same time
    and in any order; the next phase begins when the one before runs everywhere. Where no order is safe, what is in the way is told, and
    how to make the change in two.

    Services tell one another of new versions. Where that cannot be, it is said who must be given what, and before which phase.

    Exit status: 1, as of `stamp check`, if there is no safe order, or another error that nobody has accepted; 2 if the command could not run.

    Example: stamp plan --against origin/main
    """
    baselines = against or (main_branch(schemas or contracts_folder()),)
    folder = schemas or reviewed_folder(baselines)
    day = datetime.now(UTC).date() if today is None else today.date()
    scope = Scope(baselines, workflow, is_required=require_baseline)
    verdict = judged(folder, scope, today=day)
    if by_hand or not _is_all_by_hand():
        verdict = replace(verdict, report=_handed_over(verdict.report, by_hand))
    render: Callable[..., str] = import_module(f"stamp.cli.render.plan_{format_}").render
    text = render(verdict, width=width()) if format_ == "text" else render(verdict)
    click.echo(spelled(text, sys.stdout), color=is_coloured())
    if verdict.is_failed:
        raise click.exceptions.Exit(1)


def _handed_over(report: Report, steps: Sequence[str]) -> Report:
    """Return a report in which contracts are handed over to these steps alone: announcements reach the others."""
    known = {party.step for graph in report.graph.values() for party in graph.parties}
    for step in steps:
        if step not in known:
            raise InputError(f"expected a step, one of {', '.join(sorted(known))}, got {step!r}", path="--by-hand")
    return replace(report, rollouts=tuple(each.handing_over_to(steps) for each in report.rollouts))


def _is_all_by_hand() -> bool:
    """Tell whether the settings say that our workers have neither a store nor a broker: something else carries the events then."""
    from stamp.cli.service import broker_url, store_url  # noqa: PLC0415 - databases take long to import

    return store_url(None) is None and broker_url(None) is None

"""`stamp check`: who breaks when contracts change, why, and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple

import click

from stamp.cli.against import baseline_options
from stamp.cli.checkout import checkout
from stamp.cli.job_log import issue
from stamp.cli.judging import Scope, judged
from stamp.cli.render.visible import visible
from stamp.cli.reviewed import reviewed_folder
from stamp.cli.terminal import is_coloured, spelled, width
from stamp.cli.verdict import Verdict
from stamp.compat import MODES, Severity
from stamp.ripple import Reading, Report, explained, proved
from stamp.workflow.draft import Changes

__all__ = ["FORMATS", "command"]

FORMATS: Final = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown")
"""Each is `render(verdict)` in `stamp.cli.render.check_<name>`, which is imported when it is asked for."""

TIME: Final = 2.0
"""Seconds for witnesses and fixes, when nobody has asked for them."""

TIME_TO_PROVE: Final = 120.0
"""Seconds for witnesses, fixes and proofs with --prove: whoever changes a contract must not decide how long a job takes."""

PATIENCE: Final = 1.0
"""Seconds before a terminal is told what is going on."""


class ModeName(click.Choice[str]):
    """A mode as people write it: in any case, with `-` or `_`."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the usual name."""
        return super().convert(value.replace("-", "_"), param, ctx)


@click.command(short_help="Say who breaks when contracts change, why, and what to do.")
@click.argument("schemas", required=False, type=click.Path(path_type=Path))
@baseline_options(
    "What runs now: a git branch (where this branch left it), a tag or commit (exactly that), a folder, a .tar file, or what services have announced: store:URL, broker:URL. Several if need be."
)
@click.option("--workflow", metavar="NAME", multiple=True, help="Only this workflow. Several if need be.")
@click.option(
    "--code",
    metavar="MODULE:WORKFLOW",
    multiple=True,
    help="Say also where the contracts do not say what this code says, which is imported, and so runs. Several if need be.",
)
@click.option(
    "--mode",
    type=ModeName(list(MODES), case_sensitive=False),
    metavar="MODE",
    help=f"Hold also the versions of each record against one another, as a schema registry does: {', '.join(MODES)}.",
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="How.  [default: text; github where GITHUB_ACTIONS=true]"
)
@click.option(
    "--fail-on",
    type=click.Choice([each.value for each in Severity]),
    default=Severity.ERROR.value,
    show_default=True,
    help="From which severity on the exit status is 1.",
)
@click.option(
    "--prove/--no-prove",
    default=None,
    help="Show every finding by data, and decode data for every pair that is clean; or show nothing.  [default: show errors]",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Judge as on this day.")
def command(*, fail_on: str, format_: str | None, today: datetime | None, **given: Any) -> None:
    """Say who breaks when contracts change, through which events, why, and in which order to deploy.

    SCHEMAS is the contracts folder, by default that of the settings, or ./schemas. By itself it is checked as it is: whether each view
    reads every version that may still be there, and how the steps hang together. With --against also what the change does, while
    old and new services run side by side.

    Exit status: 1 if something was found, 2 if the check could not run.

    Example: stamp check --against origin/main
    """
    day = datetime.now(UTC).date() if today is None else today.date()
    verdict = _verdict(Request(**given), Severity(fail_on), day)
    format_ = format_ or ("github" if _is_on_github() else "text")
    text = rendered(format_, verdict)
    if format_ == "github":
        _annotate(spelled(text, sys.stdout))
    else:
        click.echo(spelled(text, sys.stdout), color=is_coloured())
    _summarise(verdict)
    if verdict.is_failed:
        raise click.exceptions.Exit(1)


def _annotate(text: str) -> None:
    *commands, last = text.split("\n")
    for each in commands:
        issue(each)
    click.echo(last)


class Request(NamedTuple):
    """What is to be checked, as it was said on the command line."""

    schemas: Path | None
    against: tuple[str, ...]
    require_baseline: bool
    workflow: tuple[str, ...]
    code: tuple[str, ...]
    mode: str | None
    prove: bool | None


def rendered(format_: str, verdict: Verdict) -> str:
    """Return a verdict in one of FORMATS."""
    render: Callable[..., str] = import_module(f"stamp.cli.render.check_{format_}").render
    return render(verdict, width=width()) if format_ == "text" else render(verdict)


def _verdict(request: Request, fail_on: Severity, today: date) -> Verdict:
    folder = request.schemas or reviewed_folder(request.against)
    found = judged(
        folder,
        Scope(request.against, request.workflow, is_required=request.require_baseline),
        today=today,
        fail_on=fail_on,
        mode=request.mode,
        pending=_pending(request.code, folder),
        readings=_readings(request.code) if request.prove else (),
    )
    return replace(found, report=_shown(found.report, request.prove), checkout=checkout(Path()))


def _pending(code: Sequence[str], folder: Path) -> list[Changes]:
    if not code:
        return []
    from stamp.cli.target import load  # noqa: PLC0415 - code comes with pydantic, and most checks have none
    from stamp.ripple.pending import pending  # noqa: PLC0415 - the same

    return [changes for target in code for changes in pending(load(target), folder)]


def _readings(code: Sequence[str]) -> list[Reading]:
    if not code:
        return []
    from stamp.cli.target import load  # noqa: PLC0415 - code comes with pydantic, and most checks have none
    from stamp.ripple.readings import readings  # noqa: PLC0415 - the same

    return [reading for target in code for reading in readings(load(target))]


def _shown(report: Report, prove: bool | None) -> Report:  # noqa: FBT001 - an option, as it was given
    """Return a report with what stands behind its findings, and with `prove` also behind what has none."""
    if prove is False:
        return report
    end = monotonic() + (TIME_TO_PROVE if prove else TIME)

    def is_over() -> bool:
        return monotonic() > end

    report = explained(report, is_over=is_over, all_=bool(prove))
    return proved(report, told=_Meter(), is_over=is_over) if prove else report


class _Meter:
    """Tells a terminal how far things are, when they take long."""

    def __init__(self) -> None:
        self._since = monotonic()

    def __call__(self, done: int, of: int) -> None:
        if sys.stderr.isatty() and monotonic() - self._since > PATIENCE:
            text = f"proved {done:,} of {of:,} pairs"
            click.echo(f"\r{text if done < of else ' ' * len(text)}\r", err=True, nl=False)


def _is_on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _summarise(verdict: Verdict) -> None:
    """Add what was found to the summary of a job on GitHub; where that cannot be, what was found stands nevertheless."""
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file and _is_on_github():
        try:
            with Path(file).open("a", encoding="utf-8") as summary:
                summary.write(f"{rendered('markdown', verdict)}\n\n")
        except OSError as error:
            text = f"warning: {visible(file)}: GITHUB_STEP_SUMMARY cannot be written: {error.strerror}"
            click.echo(f"{text}; the exit status stays as it is", err=True)

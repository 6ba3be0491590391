"""The command line: its commands, and what becomes of errors.

Commands are imported when they run, so that `stamp --help` is quick; this module may import nothing that is slow.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

import stamp
from stamp.cli.job_log import guarded
from stamp.cli.render.visible import visible
from stamp.errors import StampError

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS: Final = {
    "demo": "See what stamp does: the example workflow, event by event.",
    "play": "Run a whole workflow on the lines of a file.",
    "decode": "Show what an envelope, or a file of envelopes, holds.",
    "run": "Perform steps of a workflow, until told to stop.",
    "start": "Publish the first events of runs.",
    "dlq": "See dead letters; have them worked on again, or give them up.",
    "doctor": "Say what is wrong with a broker and a store, and what to set.",
    "contracts": "See the contracts that services announce; fetch or add some.",
    "check": "Say who breaks when contracts change, why, and what to do.",
    "plan": "Say in which order to deploy what has changed.",
    "graph": "Draw the flow of a workflow: steps, events, who reads what.",
    "export": "Write the contracts of a workflow, for git.",
    "explain": "Say what a rule of the check is about, and what to do.",
    "rules": "List the rules of the check.",
}
"""Each command, which is `command` in the module of its name, and what it does in a line."""

INTERRUPTED: Final = 128 + 2
BROKEN_PIPE: Final = 128 + 13
"""What a shell reports of a program that SIGINT or SIGPIPE ended."""


class Refusal(click.ClickException):
    """An error that a person can mend: one message, no traceback."""

    exit_code = 2


class Commands(click.Group):
    """The commands of COMMANDS, none of which is imported before it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"stamp.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line, whose output is no command itself."""
        with guarded():
            return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what a person can mend becomes one message."""
        try:
            return super().invoke(ctx)
        except StampError as error:
            raise Refusal(visible(str(error))) from error
        except BrokenPipeError:
            _abandon_stdout()
            raise click.exceptions.Exit(BROKEN_PIPE) from None
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except OSError as error:
            raise Refusal(_described(error)) from error


def _abandon_stdout() -> None:
    """Let what is still in the buffer go nowhere: nobody reads it, and Python would complain at exit."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the process ends


def _described(error: OSError) -> str:
    file = f"{error.filename}: " if error.filename is not None else ""
    return visible(f"{file}{error.strerror or error}")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(stamp.__version__, prog_name="stamp", message="%(prog)s %(version)s")
def cli() -> None:
    """Workflow state that travels inside the workflow's own messages.

    Exit status: 0 all is well, 1 something was found, 2 the command could not run.
    """


def main(run: Callable[[], Any] = cli) -> None:
    """Run the command line and exit. A bug of ours has a traceback and status 2: 1 would say that something was found."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # whoever called us closed it
            nowhere = Path(os.devnull).open("r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115 - until the end
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal has no letter for must not end a command
            stream.reconfigure(errors="backslashreplace")
    with guarded():
        try:
            run()
        except Exception:  # noqa: BLE001 - the top of the command line
            sys.excepthook(*sys.exc_info())
            sys.exit(2)

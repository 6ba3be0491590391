"""The commands of `stamp contracts`."""

from __future__ import annotations

import click

from stamp.cli.contracts.listing import list_command
from stamp.cli.contracts.pull import pull
from stamp.cli.contracts.push import push
from stamp.cli.contracts.removal import remove

__all__ = ["command"]


@click.group(short_help="See the contracts that services announce; fetch or add some.")
def command() -> None:
    """Contracts that services have announced: before its first event each tells the others what it writes and reads, and what it hears.

    They are where the events are: in the store, or with --broker at a broker. A password may stand in STAMP_STORE, or in the settings,
    instead of the command line.

    Exit status: 1 if something that was named is not there, or something that is there cannot be used.
    """


command.add_command(list_command)
command.add_command(pull)
command.add_command(push)
command.add_command(remove)

"""Where results and news are printed."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from stamp.cli.render.visible import visible

__all__ = ["error_console", "output_console", "tell"]


class _Console(Console):
    """A console that leaves it to the command line what happens when nobody reads any more; rich would exit with 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def output_console() -> Console:
    """Return the console of standard output: no markup in what is printed, no colours guessed from it."""
    return _Console(markup=False, highlight=False, emoji=False)


def error_console() -> Console:
    """Return the console of standard error."""
    return _Console(markup=False, highlight=False, emoji=False, stderr=True)


def tell(text: str) -> None:
    """Say something to the person who has called us, on standard error."""
    error_console().print(Text(visible(text)), soft_wrap=True)

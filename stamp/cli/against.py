"""The options that say what contracts are compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["baseline_options"]

F = TypeVar("F", bound=Callable[..., Any])


def baseline_options(text: str) -> Callable[[F], F]:
    """Add --against, with this help, and --require-baseline."""
    against = click.option("--against", metavar="REF|DIR|FILE.tar|store:URL|broker:URL", multiple=True, help=text)
    required = click.option(
        "--require-baseline",
        is_flag=True,
        help="Exit with 2 where there is nothing to compare with: a baseline without contracts, or none at all.",
    )
    return lambda function: against(required(function))

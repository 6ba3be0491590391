"""What was found, each thing once."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rich.text import Text

from stamp.cli.render.quantity import counted
from stamp.cli.render.visible import visible

__all__ = ["REPORTED", "findings"]

REPORTED: Final = 20
"""How many problems are told one by one."""


def findings(found: Counter[str], hint: str = "") -> Text:
    """Return the different problems among those `found`, with what to do about them."""
    lines = [text if number == 1 else f"{text} ({number:,} times)" for text, number in found.items()]
    if len(lines) > REPORTED:
        lines[REPORTED:] = [f"... and {counted(len(lines) - REPORTED, 'problem')} more"]
    if lines and hint:
        lines.append(hint)
    return Text("".join(f"{visible(line)}\n" for line in lines))

"""What was found, each thing once."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rich.text import Text

from stamp.cli.render.quantity import counted
from stamp.cli.render.visible import visible

__all__ = ["REPORTED", "Problems", "findings"]

REPORTED: Final = 20
"""How many different problems are told one by one; of the others nothing is kept, for an input may have millions."""


class Problems:
    """The first different problems that were found, and how often; and how many others."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self.others = 0

    def __bool__(self) -> bool:
        return bool(self.told)

    def add(self, text: str) -> None:
        """Add one."""
        if text in self.told or len(self.told) < REPORTED:
            self.told[text] += 1
        else:
            self.others += 1


def findings(found: Problems, hint: str = "") -> Text:
    """Return the different problems among those `found`, with what to do about them."""
    lines = [text if number == 1 else f"{text} ({number:,} times)" for text, number in found.told.items()]
    if found.others:
        lines.append(f"... and {counted(found.others, 'problem')} more")
    if lines and hint:
        lines.append(hint)
    return Text("".join(f"{visible(line)}\n" for line in lines))

"""Text and code in GitHub Flavored Markdown, whatever they hold: no markup, no HTML, nobody mentioned, no table broken."""

from __future__ import annotations

import re
from typing import Final

from stamp.cli.render.visible import visible

__all__ = ["code", "row", "text"]

_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PARTED: Final = "@#!$%:."
_SPECIAL: Final = re.compile(
    r"[\\`*_\[\]|~<>&]"  # markup and HTML
    r"|[@#!$%](?=\w)|:(?=//)|(?<=www)\."  # what GitHub and GitLab make links and mentions of
    r"|^[-+=#]|^\d+(?=[.)])"  # what begins a list or a heading
)


def text(value: str) -> str:
    """Return plain text. What would become a link or a mention is parted by an empty comment."""
    return _SPECIAL.sub(_escaped, visible(value))


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character in _HTML:
        return _HTML[character]
    if character in _PARTED:
        return f"{character}<!-- -->"
    return f"{character}\\" if character.isdigit() else f"\\{character}"


def code(value: str) -> str:
    """Return a code span, in which nothing counts but its own fence (GFM 6.3)."""
    shown = visible(value) or " "
    longest = max((len(each) for each in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if "`" in {shown[0], shown[-1]} else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def row(*cells: str) -> str:
    """Return a row of a table, in which a bar must be escaped even in code (GFM 4.10)."""
    parted = [_BAR.sub(r"\\|", cell) for cell in cells]
    return f"| {' | '.join(parted)} |"


_BAR: Final = re.compile(r"(?<!\\)\|")

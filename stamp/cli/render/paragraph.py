"""Labelled text of any length, on lines that fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any, Final

import click

from stamp.cli.render.visible import visible

__all__ = ["headline", "item", "paragraph", "sentence"]

MARGIN: Final = 9
"""Letters before a headline, with room for a severity."""

INDENT: Final = 11
"""Letters before the text below one, with room for a label."""

NARROW: Final = 60
"""Letters on a line from which on labels have a column. Where there are fewer, a label has a line, and its text follows."""

STEP: Final = 2
"""Letters before text that follows its label."""


def headline(label: str, text: str, tag: str, *, width: int, **style: Any) -> Iterator[str]:
    """Yield lines of bold text beside a label that has a style, and at the right the tag in brackets."""
    tag = f"[{visible(tag)}]"
    if width < NARROW:
        yield f"{click.style(label, bold=True, **style)} {click.style(tag, dim=True)}"
        yield from (click.style(line, bold=True) for line in _wrapped(text, width))
        return
    *lines, last = _wrapped(text, width - MARGIN)
    shown = [click.style(line, bold=True) for line in (*lines, last)]
    gap = width - MARGIN - len(last) - len(tag)
    if gap >= 2:
        shown[-1] += f"{' ' * gap}{click.style(tag, dim=True)}"
    else:
        shown.append(f"{' ' * (width - MARGIN - len(tag))}{click.style(tag, dim=True)}")
    yield from _beside(click.style(f"{label:<{MARGIN}}", bold=True, **style), shown, MARGIN)


def item(label: str, text: str, tag: str, *, width: int, **style: Any) -> Iterator[str]:
    """Yield lines of plain text beside a label that has a style, the tag in brackets being part of the text."""
    said = f"{text} [{tag}]"
    if width < NARROW:
        yield from filter(None, [click.style(label, **style) if label else ""])
        yield from _wrapped(said, width)
        return
    yield from _beside(click.style(f"{label:<{MARGIN}}", **style), _wrapped(said, width - MARGIN), MARGIN)


def paragraph(label: str, text: str | Iterable[str], *, width: int, **style: Any) -> Iterator[str]:
    """Yield lines of text below a headline, beside a label; each of several texts begins a line of its own."""
    texts = [text] if isinstance(text, str) else text
    indent = STEP if width < NARROW else INDENT
    lines = [line for each in texts for line in _wrapped(each, width - indent)]
    shown = [click.style(line, **style) if style else line for line in lines]
    if width >= NARROW:
        yield from _beside(click.style(f"  {label:<{INDENT - 2}}", dim=True), shown, INDENT)
    elif shown:
        yield from filter(None, [click.style(label, dim=True) if label else ""])
        yield from (f"{' ' * indent}{line}" for line in shown)


def sentence(text: str, *, width: int, **style: Any) -> Iterator[str]:
    """Yield lines of text that has a style, from the left on."""
    yield from (click.style(line, **style) for line in _wrapped(text, width))


def _beside(label: str, lines: Iterable[str], indent: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{' ' * indent if number else label}{line}"


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(visible(text), width, break_long_words=False, break_on_hyphens=False) or [""]

"""The colours and letters of a drawn flow, on a light page and on a dark one."""

from __future__ import annotations

from typing import Final

__all__ = ["READERS", "STYLE"]

_LIGHT: Final = {
    "page": "#ffffff",
    "card": "#f6f8fa",
    "ink": "#1f2328",
    "soft": "#59636e",
    "edge": "#d1d9e0",
    "event": "#57606a",
    "bad": "#cf222e",
}
_DARK: Final = {
    "page": "#0d1117",
    "card": "#151b23",
    "ink": "#f0f6fc",
    "soft": "#9198a1",
    "edge": "#3d444d",
    "event": "#9198a1",
    "bad": "#f85149",
}
_READ: Final = (
    ("#0969da", "#4493f8"),
    ("#bc4c00", "#f0883e"),
    ("#8250df", "#ab7df8"),
    ("#1a7f37", "#3fb950"),
    ("#bf3989", "#db61a2"),
    ("#9a6700", "#d29922"),
)
"""The colours of who is read, on each kind of page."""

READERS: Final = len(_READ)


def _variables(named: dict[str, str], number: int) -> str:
    colours = named | {f"r{at}": pair[number] for at, pair in enumerate(_READ)}
    return "; ".join(f"--{name}: {value}" for name, value in colours.items())


_READERS: Final = "\n".join(
    f"    .r{number} {{ stroke: var(--r{number}) }} circle.r{number}, .tip.r{number} {{ fill: var(--r{number}) }}"
    for number in range(READERS)
)

STYLE: Final = f"""  <style>
    svg {{ {_variables(_LIGHT, 0)} }}
    @media (prefers-color-scheme: dark) {{ svg {{ {_variables(_DARK, 1)} }} }}
    .page {{ fill: var(--page); stroke: var(--edge) }}
    .step {{ fill: var(--card); stroke: var(--soft) }}
    .start {{ stroke: var(--ink); stroke-width: 2 }}
    .pill {{ fill: var(--page); stroke: var(--event) }}
    .event {{ fill: none; stroke: var(--event); stroke-width: 1.5 }}
    .tip.event {{ fill: var(--event); stroke: none }}
    .read {{ fill: none; stroke-dasharray: 4 3 }}
    .tip.read, circle {{ stroke: none }}
{_READERS}
    .failure {{ stroke: var(--bad) }}
    .tip.failure {{ fill: var(--bad) }}
    .lost {{ stroke: var(--bad); stroke-dasharray: 4 3 }}
    text {{ font: 11px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--ink) }}
    .title {{ font-size: 16px; font-weight: 600 }}
    .name {{ font-size: 13px; font-weight: 600; text-anchor: middle }}
    .label {{ text-anchor: middle }}
    .soft, .fails {{ fill: var(--soft) }}
    .who {{ fill: var(--ink) }}
    text.lost {{ fill: var(--bad); stroke: none }}
  </style>"""
"""The style sheet, as an element."""

"""`stamp graph`: the flow of a workflow, made explicit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from stamp.cli.flow import Flow, flow
from stamp.cli.terminal import is_coloured, spelled
from stamp.cli.workspace import states
from stamp.errors import InputError
from stamp.ripple import Graph
from stamp.workflow.settings import contracts_folder

__all__ = ["FORMATS", "command"]

FORMATS: Final = ("text", "json", "mermaid", "dot", "svg")
"""Each is in `stamp.cli.render.graph_<name>`, which is imported when it is asked for: `render(flows)` of LISTS, else `render(flow)`."""

LISTS: Final = ("text", "json")


@click.command(short_help="Draw the flow of a workflow: steps, events, who reads what.")
@click.argument("schemas", required=False, type=click.Path(path_type=Path))
@click.option("--workflow", metavar="NAME", multiple=True, help="Only this workflow; a drawing has one.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="How.  [default: text]")
def command(*, schemas: Path | None, workflow: tuple[str, ...], format_: str) -> None:
    """Draw what contracts only imply: which step publishes which event, who listens to it, and who reads which fields of whom.

    SCHEMAS is the contracts folder, by default that of the settings, or ./schemas. GitHub and GitLab show Mermaid in Markdown; dot is
    for Graphviz; svg needs nothing else, and fits a light page and a dark one.

    Example: stamp graph --format svg > flow.svg
    """
    folder = schemas or contracts_folder()
    (now,) = states(folder, workflows=workflow)
    flows = [flow(Graph.of(name, now.of(name).values())) for name in now.workflows]
    text = _rendered(format_, flows, folder)
    click.echo(spelled(text, sys.stdout), color=is_coloured())


def _rendered(format_: str, flows: Sequence[Flow], folder: Path) -> str:
    render: Callable[..., str] = import_module(f"stamp.cli.render.graph_{format_}").render
    if format_ in LISTS:
        return render(flows)
    if len(flows) > 1:
        known = ", ".join(each.workflow for each in flows)
        raise InputError(f"expected --workflow and one of {known}: a drawing has one", file=folder)
    return render(flows[0])

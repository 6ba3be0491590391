"""From `module:workflow`, as it is written on a command line, to the workflow."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

import click

from stamp.cli.blame import place_of
from stamp.errors import InputError, StampError
from stamp.workflow.workflow import Workflow

__all__ = ["load", "load_joined", "targets_argument"]

F = TypeVar("F", bound=Callable[..., Any])

_FORM: Final = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*)")


def load(target: str) -> Workflow:
    """Return the workflow that `target` names, as `module:name`. Modules of the current folder come first.

    Raises:
        InputError: it names none, or its module cannot be imported.
        StampError: what the module defines is not acceptable.
    """
    form = _FORM.fullmatch(target)
    if form is None:
        raise InputError(f"expected module:workflow, such as examples.ticket:ticket, got {target!r}{_hint(target)}")
    module = _imported(form["module"], hint=_hint(target))
    found = getattr(module, form["name"], None)
    if not isinstance(found, Workflow):
        what = "nothing of that name" if found is None else f"a {type(found).__name__}"
        raise InputError(f"expected a Workflow, got {what}: {_workflows(module)}", path=target)
    return found


def targets_argument(function: F) -> F:
    """Add the argument `targets`, one or several, and the option `--schemas`, for `load_joined`."""
    option = click.option(
        "--schemas",
        metavar="FOLDER",
        type=click.Path(file_okay=False, path_type=Path),
        help="The contracts of all steps.  [default: as the workflows say]",
    )
    return click.argument("targets", metavar="MODULE:WORKFLOW...", nargs=-1, required=True)(option(function))


def load_joined(targets: Sequence[str], *, contracts: Path | None = None) -> Workflow:
    """Return one workflow with the steps of all that `targets` name; `contracts` is its contracts folder, by default theirs.

    Raises:
        InputError: one of them names no workflow. WorkflowError: they do not go together, see `Workflow.joined`.
        StampError: what a module defines is not acceptable.
    """
    return Workflow.joined(*map(load, targets), contracts=contracts)


def _hint(target: str) -> str:
    file, _, name = target.partition(":")
    if not file.endswith(".py"):
        return ""
    module = ".".join(Path(file).with_suffix("").parts)
    return f": a module is written with dots, {module}:{name or 'workflow'}"


def _imported(name: str, *, hint: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:  # its code is its author's, and raises what it likes
        return import_module(name)
    except StampError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            text = (
                f"expected a module that is installed or in {here}, got {name!r}, and there is no {error.name!r}{hint}"
            )
            raise InputError(text) from error
        text = f"importing it raised {type(error).__name__}: {error}"
        raise InputError(text, path=name, **_place(error)) from error


def _place(error: BaseException) -> Mapping[str, Any]:
    if isinstance(error, SyntaxError) and error.filename:
        return {"file": error.filename, "line": error.lineno}
    return place_of(error) or {}


def _workflows(module: ModuleType) -> str:
    names = [name for name, value in vars(module).items() if isinstance(value, Workflow)]
    known = ", ".join(f"{module.__name__}:{name}" for name in names)
    return f"the module has {known}" if known else "the module has no workflow"

"""From `module:workflow`, as it is written on a command line, to the workflow."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from stamp.cli.blame import place_of
from stamp.errors import InputError, StampError
from stamp.workflow.workflow import Workflow

__all__ = ["load"]

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

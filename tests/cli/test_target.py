"""`module:workflow` finds the workflow, or says what is wrong with it."""

from __future__ import annotations

import re

import pytest

from stamp.cli.target import load
from stamp.errors import InputError, WorkflowError
from stamp.workflow import Workflow


def test_a_workflow_of_the_current_folder_is_found(small):
    assert isinstance(load(f"{small}:order"), Workflow)


MODULES = {
    "wrong_import": "import nothing_of_that_name",
    "wrong_name": "from datetime import no_such_name",
    "syntax": "a = 1\nb = = 2",
    "crash": "def f():\n    return 1 / 0\n\nf()",
    "leaves": "raise SystemExit(0)",
    "model": "from pydantic import BaseModel\n\nclass M(BaseModel):\n    x: Undefined_ = undefined_",
    "package/__init__": "",
    "package/inner": "from package import missing_sibling",
    "empty": "",
}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("small", "expected module:workflow, such as examples.ticket:ticket, got 'small'"),
        ("", "expected module:workflow"),
        (":order", "expected module:workflow"),
        ("small:", "expected module:workflow"),
        ("small:order:x", "expected module:workflow"),
        ("..small:order", "expected module:workflow"),
        ("small.py:order", "a module is written with dots, small:order"),
        ("a/small.py", "a module is written with dots, a.small:workflow"),
        ("no_such_module:order", "got 'no_such_module', and there is no 'no_such_module'"),
        ("package.no_such:order", "got 'package.no_such', and there is no 'package.no_such'"),
        ("no_such.module:order", "got 'no_such.module', and there is no 'no_such'"),
        ("small:orders", "small:orders: expected a Workflow, got nothing of that name: the module has small:order, small:two_starts"),
        ("small:number", "small:number: expected a Workflow, got a int: the module has small:order"),
        ("empty:order", "the module has no workflow"),
        ("wrong_import:x", "wrong_import.py:1: wrong_import: importing it raised ModuleNotFoundError: No module named 'nothing_of"),
        ("wrong_name:x", "wrong_name.py:1: wrong_name: importing it raised ImportError"),
        ("package.inner:x", "inner.py:1: package.inner: importing it raised ImportError"),
        ("syntax:x", "syntax.py:2: syntax: importing it raised SyntaxError"),
        ("crash:x", "crash.py:2: crash: importing it raised ZeroDivisionError: division by zero"),
        ("leaves:x", "leaves.py:1: leaves: importing it raised SystemExit"),
        ("model:x", "model.py:4: model: importing it raised NameError"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(small, here, stamp, target, said):
    for name, text in MODULES.items():
        (here / name).parent.mkdir(exist_ok=True)
        (here / f"{name}.py").write_text(text)
    with pytest.raises(InputError, match=re.escape(said)):
        load(target)
    done = stamp("export", target)
    assert done.exit_code == 2
    assert said in done.stderr.replace("\n", " ")
    assert done.stdout == ""


def test_what_the_definition_says_is_wrong_is_passed_on(here):
    (here / "bad.py").write_text("from stamp import Workflow\n\nbad = Workflow('no such name!')\n")
    with pytest.raises(WorkflowError, match="no such name!"):
        load("bad:bad")

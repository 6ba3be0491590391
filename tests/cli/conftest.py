"""The command line, the example played with it, and small workflows that misbehave."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stamp.cli.main import cli

Stamp = Callable[..., Result]


@pytest.fixture(scope="session")
def stamp() -> Stamp:
    """Return `stamp(*arguments, input=b"")`, the command run in this process."""

    def run(*arguments: object, input: bytes = b"") -> Result:  # noqa: A002 - click calls it so
        return CliRunner().invoke(cli, [str(each) for each in arguments], input=input)

    return run


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory, stamp: Stamp) -> Path:
    """Return a folder with tickets.jsonl, events.avro and schemas/, of one hundred tickets."""
    folder = tmp_path_factory.mktemp("kept") / "demo"
    assert stamp("demo", "--keep", folder).exit_code == 0
    return folder


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory, stamp: Stamp) -> Path:
    """Return such a folder of three tickets."""
    folder = tmp_path_factory.mktemp("few") / "demo"
    assert stamp("demo", "--tickets", 3, "--keep", folder).exit_code == 0
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield an empty current folder; modules that are imported from it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write_lines(here: Path) -> Callable[[Sequence[Any]], Path]:
    """Return `write_lines(lines)`: bytes go into the file as they are, other values as JSON."""

    def write(lines: Sequence[Any]) -> Path:
        file = here / "lines.jsonl"
        encoded = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
        file.write_bytes(b"".join(each + b"\n" for each in encoded))
        return file

    return write


SMALL = """
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from stamp import Fail, Workflow

order = Workflow("order")
two_starts = Workflow("two")
number = 4729

class Address(BaseModel):
    street: str
    city: str = ""

class Order(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=40, decimal_places=10)] = Decimal(0)
    weight: float = 0.0
    big: int = 0
    at: datetime | None = None
    address: Address | None = None
    do: str = ""

class Do(BaseModel):
    do: str

class Done(BaseModel):
    text: str

order.starts("order", Order, emits="Ordered")

@order.step(on="Ordered", emits="Done")
def work(order: Do) -> Done | None:
    if order.do == "crash":
        raise KeyError(order.do)
    if order.do == "fail":
        raise Fail("no stock")
    return None if order.do == "nothing" else Done(text=order.do)

two_starts.starts("one", Order, emits="One")
two_starts.starts("other", Address, emits="Other")
"""


@pytest.fixture
def small(here: Path) -> str:
    """Return the name of a module in the current folder that has the workflows `order` and `two_starts`."""
    (here / "small.py").write_text(SMALL)
    return "small"

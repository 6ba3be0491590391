"""A stage for each transport of the table; a test may ask for those only that promise something, or that do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .brokers import TABLE, Entry
from .proxy import Proxy
from .stage import Stage


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promised(name): runs on the transports that make this promise")
    config.addinivalue_line("markers", "not_promised(name): runs on the transports that do not make this promise")
    config.addinivalue_line("markers", "served: runs on the transports whose broker is a server that can be cut off")
    config.addinivalue_line("markers", "only(name): runs on this transport")
    config.addinivalue_line("markers", "but(*names): runs on all transports but these")
    config.addinivalue_line("markers", "slow_on(name): waits for seconds on this transport, and so is slow there")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        names = [name for name, entry in TABLE.items() if _is_wanted(metafunc.definition, name, entry)]
        slow = {mark.args[0] for mark in metafunc.definition.iter_markers("slow_on")}
        marked = [pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in names]
        metafunc.parametrize("transport", marked, scope="function")


def _is_wanted(test: pytest.Item, name: str, entry: Entry) -> bool:
    def has(mark: pytest.Mark) -> bool:
        return bool(getattr(entry.promises, mark.args[0]))

    return (
        all(map(has, test.iter_markers("promised")))
        and not any(map(has, test.iter_markers("not_promised")))
        and (entry.is_server or not any(test.iter_markers("served")))
        and all(name == mark.args[0] for mark in test.iter_markers("only"))
        and not any(name in mark.args for mark in test.iter_markers("but"))
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def stage(transport: str, stack: ExitStack, tmp_path: Path, name: str) -> Stage:
    return Stage(stack, TABLE[transport].open(stack, tmp_path, name), name)


@pytest.fixture
def proxy(stage: Stage, stack: ExitStack) -> Proxy:
    """A wire to the broker that can be cut."""
    assert stage.broker.port is not None
    proxy = stage.broker.wire(stage.broker.port)
    stack.callback(proxy.cut)
    return proxy


@pytest.fixture
def far(stage: Stage, proxy: Proxy) -> Stage:
    """The stage at the other end of the wire."""
    return stage.behind(proxy.port)

"""What a trial runs on: a database, with or without a broker, and the blows that they get."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGQUIT, Signals
from typing import IO, Final

import servers
from servers import Server
from wire import Wire

__all__ = ["GROUNDS", "Ground"]

DOWN: Final = (0.2, 1.5)
"""How long a server stays down, in seconds."""


@dataclass(slots=True)
class Part:
    """A server behind a wire, and by which signals it is killed."""

    name: str
    server: Server
    wire: Wire
    deadly: tuple[Signals, ...] = (SIGKILL,)
    back_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Ground:
    """`store` and `broker` are the URLs for workers, `seen` is that of the store without a wire: for who looks on."""

    store: str
    seen: str
    broker: str = ""
    parts: Mapping[str, Part] = field(default_factory=dict)
    blows: Counter[str] = field(default_factory=Counter)

    def strike(self, name: str, how: str, dice: Random) -> None:
        """Kill a server, or cut its wire."""
        part = self.parts[name]
        if how == "cut":
            part.wire.cut()
        else:
            part.server.kill(dice.choice(part.deadly))
            part.back_at = time.monotonic() + dice.uniform(*DOWN)
        self.blows[f"{name} {how}"] += 1

    def tend(self) -> None:
        """Bring back what was down for long enough."""
        for part in self.parts.values():
            part.server.tend()
            if part.back_at is not None and time.monotonic() >= part.back_at:
                part.back_at = None
                part.server.start()

    @property
    def is_whole(self) -> bool:
        """Whether everything is up."""
        return all(part.back_at is None and part.server.is_up for part in self.parts.values())


def embedded(stack: ExitStack, folder: Path, log: IO[bytes]) -> Ground:
    url = f"sqlite:///{folder / 'stamp.db'}"
    return Ground(store=url, seen=url)


def postgresql(stack: ExitStack, folder: Path, log: IO[bytes]) -> Ground:
    database = _raised(stack, servers.postgresql(_made(folder / "postgresql"), log))
    wire = _wired(stack, database)
    url = "postgresql://postgres@127.0.0.1:{}/postgres"
    parts = {"database": Part("database", database, wire, deadly=(SIGKILL, SIGQUIT))}
    return Ground(store=url.format(wire.port), seen=url.format(database.port), parts=parts)


def rabbitmq(stack: ExitStack, folder: Path, log: IO[bytes]) -> Ground:
    mapper, node = servers.rabbitmq(_made(folder / "rabbitmq"), log)
    _raised(stack, mapper)
    return _with_broker(stack, folder, log, node, "amqp://guest:guest@127.0.0.1:{}//")


def redis(stack: ExitStack, folder: Path, log: IO[bytes]) -> Ground:
    server = servers.redis(_made(folder / "redis"), log)
    return _with_broker(stack, folder, log, server, "redis://127.0.0.1:{}/0?redeliver=2")


GROUNDS: Final[Mapping[str, Callable[[ExitStack, Path, IO[bytes]], Ground]]] = {
    each.__name__: each for each in (embedded, postgresql, rabbitmq, redis)
}


def _with_broker(stack: ExitStack, folder: Path, log: IO[bytes], broker: Server, url: str) -> Ground:
    stack.callback(broker.kill)
    broker.start()
    ground = postgresql(stack, folder, log)
    broker.wait()
    wire = _wired(stack, broker)
    ground.broker = url.format(wire.port)
    ground.parts = {**ground.parts, "broker": Part("broker", broker, wire)}
    return ground


def _raised(stack: ExitStack, server: Server) -> Server:
    stack.callback(server.kill)
    server.start()
    server.wait()
    return server


def _wired(stack: ExitStack, server: Server) -> Wire:
    wire = Wire(server.port)
    stack.callback(wire.close)
    return wire


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder

"""Servers of our own, on ports of this machine that nobody else uses, which are killed and come back.

Never the machine's: each has its folder, and RabbitMQ its node name, cookie and port mapper as well. All of them die with this process.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

__all__ = ["NotInstalledError", "Server", "postgresql", "rabbitmq", "redis"]

PATIENCE: Final = 60.0
"""How long a server may take to come up, in seconds."""


class NotInstalledError(Exception):
    """A server that this machine does not have."""


class Server:
    """A server that listens on `port`, and that `tend` starts again as long as it is wanted."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        log: IO[bytes],
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self._command, self._log, self._user = ["setpriv", "--pdeathsig", "KILL", *command], log, user
        self._env = None if env is None else {**os.environ, **env}
        self.port: Final = port
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = False

    def start(self) -> None:
        self._is_wanted = True
        account = {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=self._env,
            start_new_session=True,
            cwd="/",
            **account,
        )

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, without a word or, with a `number` that it knows, at once."""
        self._is_wanted = False
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait()

    def tend(self) -> None:
        """Start it again if it could not come up: what it left behind may have had to end first."""
        if self._is_wanted and self._process is not None and self._process.poll() is not None:
            self.start()

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + PATIENCE
        while not self.is_up:
            self.tend()
            if time.monotonic() > until:
                raise TimeoutError(f"{self._command[3]} does not come up; see {self._log.name}")
            time.sleep(0.05)

    @property
    def is_up(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class RedisServer(Server):
    """Redis that forgets what was written last when it is killed: as with a machine that lost its power, since only every second is flushed."""

    folder: Path
    FORGETS: Final = 0.5

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        file = max(self.folder.glob("appendonlydir/*.incr.aof"), key=lambda each: each.stat().st_mtime)
        size = file.stat().st_size
        time.sleep(self.FORGETS)
        super().kill(number)
        os.truncate(file, size)


def redis(folder: Path, log: IO[bytes]) -> Server:
    port = free_port()
    options = f"--bind 127.0.0.1 --port {port} --dir {folder} --appendonly yes --appendfsync everysec --save".split()
    server = RedisServer([binary("redis-server"), *options, ""], port=port, log=log)
    server.folder = folder
    return server


def postgresql(folder: Path, log: IO[bytes]) -> Server:
    """A cluster of its own; `postgres` refuses to be root, so it gets the account that its package has made."""
    user = "postgres" if os.geteuid() == 0 else None
    initdb, postgres = (binary(name, "/usr/lib/postgresql/*/bin") for name in ("initdb", "postgres"))
    data, port = folder / "data", free_port()
    if user is not None:
        shutil.chown(folder, user, user)
    account = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    command = [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"]
    subprocess.run(command, stdout=log, stderr=log, check=True, cwd="/", **account)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=".split()
    return Server([postgres, "-D", str(data), *options], port=port, log=log, user=user)


def rabbitmq(folder: Path, log: IO[bytes]) -> Sequence[Server]:
    """A node, and before it the port mapper that it needs."""
    port, distribution, mapper = free_port(), free_port(), free_port()
    for name in ("home", "mnesia", "log"):
        (folder / name).mkdir()
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.file.level = error\nlog.console = false\n"
    )
    (folder / "plugins").write_text("[].")
    env = {
        "HOME": str(folder / "home"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": f"chaos-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_ALLOW_INPUT": "1",  # become the broker instead of watching over it
        "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    node = binary("rabbitmq-server", "/usr/lib/rabbitmq/bin")  # the one in the path starts it with another account
    epmd = Server([binary("epmd"), "-address", "127.0.0.1", "-port", str(mapper)], port=mapper, log=log, env=env)
    return epmd, Server([node, "-noinput"], port=port, log=log, env=env)


def binary(name: str, folder: str = "") -> str:
    """Return the path of a program, in the last folder of this pattern or in the path."""
    found = sorted(map(str, Path("/").glob(f"{folder[1:]}/{name}"))) if folder else []
    path = found[-1] if found else shutil.which(name)
    if path is None:
        raise NotInstalledError(name)
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])

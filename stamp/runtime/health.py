"""What an orchestrator asks a worker: is it alive, is it ready."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self

from stamp.errors import InputError

__all__ = ["Health"]

POLL: Final = 0.05
"""How often it is looked whether all ends, in seconds."""

Probe = Callable[[], Sequence[str]]
"""Says what is wrong; nothing if all is well."""


class Health:
    """Answers `GET /live` and `GET /ready` with 200, or with 503 and what is wrong, as JSON. Port 0 takes a free one, see `address`.

    Raises:
        InputError: the address cannot be used.
    """

    def __init__(self, host: str, port: int, *, live: Probe, ready: Probe) -> None:
        try:
            self._server = _server(host)((host, port), partial(_Handler, {"/live": live, "/ready": ready}))
        except (OSError, OverflowError) as error:  # the latter: a port that is none
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"expected an address to answer on, got {host}:{port}: {reason}", path="--health"
            ) from error
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(POLL,), name="stamp-health", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port."""
        host, port, *_ = self._server.server_address
        return str(host), int(port)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _server(host: str) -> type[ThreadingHTTPServer]:
    """Return a server for an address of the kind of `host`."""
    family = AF_INET6 if ":" in host else AF_INET
    return type("Server", (ThreadingHTTPServer,), {"address_family": family})


class _Handler(BaseHTTPRequestHandler):
    timeout = 5  # a caller that says nothing holds a thread no longer

    def __init__(self, probes: Mapping[str, Probe], *arguments: Any) -> None:
        self._probes = probes
        super().__init__(*arguments)

    def do_GET(self) -> None:
        probe = self._probes.get(self.path.partition("?")[0])
        if probe is None:
            self._answer(HTTPStatus.NOT_FOUND, {"known": sorted(self._probes)})
            return
        wrong = list(probe())
        self._answer(HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK, {"ok": not wrong, "wrong": wrong})

    def _answer(self, status: HTTPStatus, content: Mapping[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - http.server's contract
        """Keep probes, of which there is one every few seconds, out of the log."""

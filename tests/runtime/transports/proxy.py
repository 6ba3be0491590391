"""A wire that can be cut: a TCP proxy in front of a broker."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class Proxy:
    """Forwards what comes to `port`, by default a free one, to `target` on this machine, until it is cut or held up."""

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._flows = {"in": threading.Event(), "out": threading.Event()}
        for flow in self._flows.values():
            flow.set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._server = socket.create_server(("127.0.0.1", port))
        self.port = self._server.getsockname()[1]
        self._lock = threading.Lock()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def hold(self, *directions: str) -> None:
        """Keep everybody connected, but let nothing through: "in" to the broker, "out" of it, or both ways."""
        for direction in directions or self._flows:
            self._flows[direction].clear()

    def let_go(self) -> None:
        """Let everything through again, also what was held up."""
        for flow in self._flows.values():
            flow.set()

    def say(self, data: bytes) -> None:
        """Tell everybody what the broker did not say."""
        for client in self._sockets[::2]:
            client.sendall(data)

    def cut(self) -> None:
        """Close all connections, and answer to nobody any more."""
        _end(self._server)
        self._server.close()
        self._acceptor.join()  # who was just coming in is cut, too
        self.cut_connections()

    def cut_connections(self) -> None:
        """Close the connections that there are."""
        with self._lock:
            for each in self._sockets:
                _end(each)
            self.let_go()  # what was held up finds no way out
            for thread in self._threads:
                thread.join()
            for each in self._sockets:
                each.close()
            self._sockets, self._threads = [], []

    def _accept(self) -> None:
        with suppress(OSError):  # cut
            while True:
                client, _ = self._server.accept()
                with self._lock:
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        broker = socket.create_connection(("127.0.0.1", self._target))
        self._sockets += [client, broker]
        for flow, source, sink in (("in", client, broker), ("out", broker, client)):
            passed = self._passed(_received(source), client, flow)
            thread = threading.Thread(target=self._forward, args=(self._flows[flow], source, sink, passed), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _forward(
        self, flow: threading.Event, source: socket.socket, sink: socket.socket, passed: Iterator[bytes]
    ) -> None:
        with suppress(OSError):
            for data in passed:
                flow.wait()
                sink.sendall(data)
        _end(source)
        _end(sink)

    def _passed(self, data: Iterator[bytes], client: socket.socket, direction: str) -> Iterator[bytes]:
        """Return what goes through, of what comes: a protocol that tells clients where to go on needs other words on a wire."""
        return data


def _received(source: socket.socket) -> Iterator[bytes]:
    while data := source.recv(65536):
        yield data


def _end(connection: socket.socket) -> None:
    """Say goodbye in both directions; a socket that is only closed stays open while a thread still reads from it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class TlsProxy:
    """Speaks TLS on `port`, with a certificate, and plainly to `target` on this machine."""

    def __init__(self, target: int, certificate: Path, key: Path) -> None:
        self._target = target
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, key)
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; all connections must be closed."""
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours, theirs = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(_pour(reader, theirs), _pour(ours, writer))


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()

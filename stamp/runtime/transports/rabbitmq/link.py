"""A connection to RabbitMQ that is watched: it beats, it never waits forever, and whatever goes wrong on it is a DeliveryError."""

from __future__ import annotations

import selectors
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import Any, Final

import amqp
from kombu.connection import Connection

from stamp.errors import PERMISSIONS, DeliveryError
from stamp.runtime.transports.rabbitmq.address import Address
from stamp.runtime.transports.rabbitmq.frames import frame_reader, split

__all__ = ["Link"]

CONNECT_TIMEOUT: Final = 5.0
CLOSE_TIMEOUT: Final = 1.0
AT_ONCE: Final = 2**18

IF_NEVER: Final = "is a RabbitMQ running there, with this user and this virtual host?"
IF_LOST: Final = "whatever is not confirmed counts as not sent: connect again"

# What py-amqp raises, with what it lets through of a connection that ended while it was at work, and of bytes that it cannot read.
FAILURES: Final = (
    amqp.AMQPError,
    OSError,
    struct.error,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
)


class Link:
    """A connection to one of `addresses`, and a channel on it.

    Used by one thread at a time; after its first failure it is of no use any more.

    Raises:
        DeliveryError: nobody answers, or we are refused.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._address = addresses[0]
        self._failure: DeliveryError | None = None
        self._beats_at = 0.0
        self.has_room: Callable[[], bool] = lambda: True
        """Asked before the body of a message is kept; the message `is_left` without one if it says no."""
        self._pause = self._address.heartbeat / 4
        self._is_blocked = False
        self._connection: Any = None
        self._selector = selectors.DefaultSelector()
        with self.guard():
            self._connect(addresses)
            self.channel = self.open_channel()

    def open_channel(self) -> Any:
        """Return a new channel, which leaves bodies as they are: py-amqp decodes them with the sender's content encoding."""
        channel = self._connection.channel()
        channel.auto_decode = False
        return channel

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Do something with the connection. What breaks off within, an interrupt too, ends it: half a frame may have been written.

        Raises:
            DeliveryError: something went wrong, now or earlier.
        """
        if self._failure is not None:
            raise DeliveryError(self._failure.message)
        try:
            yield
        except BaseException as error:
            self._failure = self._explain(error)
            self._abandon()
            if isinstance(error, FAILURES):
                raise self._failure from self._address.secrets.cause(error)
            raise

    def pump(self, timeout: float) -> None:
        """Handle everything that has arrived, waiting for the first of it at most `timeout` seconds and rather less; beat."""
        while self._is_readable(min(timeout, self._pause)):
            for frame in split(self._read(), self._read_exactly, largest=self.largest_frame):
                self._connection.on_inbound_frame(frame)
            timeout = 0
        # Only now: what has arrived is a sign of life.
        if monotonic() >= self._beats_at:
            self._connection.heartbeat_tick()
            self._beats_at = monotonic() + self._pause

    def write(self, frames: bytes | bytearray) -> None:
        """Send frames that were built elsewhere."""
        self._connection.transport.write(frames)
        self._connection.bytes_sent += 1  # to py-amqp a sign of life, too

    def wait(self, is_done: Callable[[], bool], timeout: float) -> bool:
        """Pump until `is_done()`, at most `timeout` seconds; tell whether it is."""
        end = monotonic() + timeout
        while not is_done():
            left = end - monotonic()
            if left <= 0:
                return False
            self.pump(left)
        return True

    @property
    def server(self) -> Mapping[str, Any]:
        """What the broker says of itself, such as its `product` and `version`."""
        properties: Mapping[str, Any] = self._connection.server_properties
        return properties

    @property
    def heartbeat(self) -> float:
        """In seconds, as both sides agreed; 0 if there is none."""
        return float(self._connection.heartbeat or 0)

    @property
    def largest_frame(self) -> int:
        """In bytes, as both sides agreed."""
        return int(self._connection.frame_max)

    @property
    def trouble(self) -> str:
        """What the broker has let us know about itself, for messages about answers that do not come."""
        return "; the broker blocks publishers: it is short of memory or disk" if self._is_blocked else ""

    def close(self) -> None:
        """Take leave, if there is still somebody to take leave of."""
        if self._failure is None:
            self._failure = DeliveryError(f"{self._address}: this connection was closed; open another one")
            with suppress(*FAILURES):  # it is going away: nothing depends on the answer
                self._connection.transport.sock.settimeout(CLOSE_TIMEOUT)
                self._connection.close()
        self._abandon()

    def _connect(self, addresses: Sequence[Address]) -> None:
        """Connect to the first that answers."""
        for self._address in addresses:
            try:
                self._connection = self._reach(self._address)
                break
            except OSError:
                if self._address is addresses[-1]:
                    raise
        sock = self._connection.transport.sock
        # Once and for all: py-amqp would change it twice a frame, and with a timeout of 0 it spins while a frame is incomplete.
        sock.settimeout(2 * self._address.heartbeat)
        self._selector.register(sock, selectors.EVENT_READ)

    def _reach(self, address: Address) -> Any:
        connection = Connection(
            **address.parameters,
            transport="pyamqp",  # for `amqp` kombu would take another library, where that is installed
            connect_timeout=CONNECT_TIMEOUT,
            transport_options={
                "frame_handler": partial(frame_reader, has_room=self._keeps_bodies),
                "socket_settings": _patience(2 * address.heartbeat),
                "on_blocked": self._on_blocked,
                "on_unblocked": self._on_unblocked,
            },
        )
        return connection.transport.establish_connection()

    def _is_readable(self, timeout: float) -> bool:
        sock = self._connection.transport.sock
        held_by_tls = hasattr(sock, "pending") and sock.pending() > 0
        return held_by_tls or bool(self._selector.select(timeout))

    def _read(self, size: int = AT_ONCE) -> bytes:
        data: bytes = self._connection.transport.sock.recv(size)
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        return data

    def _read_exactly(self, size: int) -> bytes:
        """Read the rest of a frame: py-amqp, when it reads by itself, must find none begun."""
        data = b""
        while len(data) < size:
            data += self._read(size - len(data))
        return data

    def _keeps_bodies(self) -> bool:
        return self.has_room()

    def _on_blocked(self, _reason: str) -> None:
        self._is_blocked = True

    def _on_unblocked(self) -> None:
        self._is_blocked = False

    def _explain(self, error: BaseException) -> DeliveryError:
        if isinstance(error, DeliveryError):
            return error
        what = self._address.secrets.masked(str(error) or type(error).__name__)
        advice = IF_NEVER if self._connection is None else IF_LOST
        if isinstance(error, amqp.AccessRefused) and self._connection is not None:
            advice = PERMISSIONS
        return DeliveryError(f"{self._address}: {what}; {advice}")

    def _abandon(self) -> None:
        self._selector.close()
        if self._connection is not None:
            with suppress(*FAILURES):  # its socket may be closed already
                self._connection.collect()


def _patience(seconds: float) -> Mapping[int, int]:
    """Return for how long sent bytes may be without an answer; py-amqp gives up after one second, where the system can be told."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    return {} if option is None else {option: int(seconds * 1000)}

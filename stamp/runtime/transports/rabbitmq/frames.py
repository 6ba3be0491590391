"""What goes over the wire in AMQP 0-9-1, where py-amqp is too slow for it or gives up.

It sends each message by itself, and reads each frame with three calls of the system: several times the work of everything else. So frames
are built and split here, and many of them go together. What is in those that arrive is py-amqp's business, but for what a sender of a message writes
into them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final, TypeAlias

from amqp.method_framing import frame_handler

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError
from stamp.runtime.outside import CONTENT_ENCODING
from stamp.runtime.transports.rabbitmq.properties import read
from stamp.store.message import Message

__all__ = ["Frame", "frame_reader", "publish", "split"]

Frame: TypeAlias = tuple[int, int, bytes]
"""Type, number of the channel, payload (section 2.3.5)."""

METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
END: Final = 0xCE
END_OF_FRAME: Final = bytes((END,))
FRAME: Final = Struct(">BHI")
AROUND: Final = FRAME.size + 1

BASIC_PUBLISH: Final = b"\0\x3c\0\x28\0\0"
BASIC: Final = Struct(">HHQ")
BASIC_CLASS: Final = 60
# content type, content encoding, headers, delivery mode; message id; type
OUR_PROPERTIES: Final = b"\xf0\xa0"
NO_PROPERTIES: Final = b"\0\0"
PERSISTENT: Final = b"\x02"
LENGTH: Final = Struct(">I")
LONG_STRING: Final = b"S"
SHORT: Final = 255
SHOWN: Final = 60


def publish(message: Message, exchange: str, key: str, *, mandatory: bool, channel: int, largest: int) -> bytes:
    """Return the frames that publish `message`, persistently; none is larger than `largest` bytes.

    Raises:
        DeliveryError: a name is too long, or all headers together are too large.
    """
    method = b"".join((BASIC_PUBLISH, _short(exchange), _short(key), b"\1" if mandatory else b"\0"))
    body = message.body
    header = b"".join(
        (
            BASIC.pack(BASIC_CLASS, 0, len(body)),
            OUR_PROPERTIES,
            TYPE_AND_ENCODING,
            _table(message.headers),
            PERSISTENT,
            _short(message.event_id.hex()),
            _short(message.event),
        )
    )
    if len(header) + AROUND > largest:
        raise DeliveryError(f"{message.event!r} has headers of {len(header)} bytes, and {largest - AROUND} is the most")
    step = largest - AROUND
    bodies = [_frame(BODY, channel, body[start : start + step]) for start in range(0, len(body), step)]
    return b"".join((_frame(METHOD, channel, method), _frame(HEADER, channel, header), *bodies))


def split(data: bytes, more: Callable[[int], bytes], *, largest: int) -> list[Frame]:
    """Return the frames in `data`, none larger than `largest` bytes; what the last one lacks comes from `more(size)`.

    Raises:
        DeliveryError: these are no frames.
    """
    frames = []
    start = 0
    while start < len(data):
        if len(data) < start + FRAME.size:
            data += more(start + FRAME.size - len(data))
        kind, channel, size = FRAME.unpack_from(data, start)
        end = start + FRAME.size + size
        if end + 1 - start > largest:
            raise _no_frame()
        if len(data) <= end:
            data += more(end + 1 - len(data))
        if data[end] != END:
            raise _no_frame()
        frames.append((kind, channel, data[start + FRAME.size : end]))
        start = end + 1
    return frames


def frame_reader(
    connection: Any, callback: Callable[..., None], *, has_room: Callable[[], bool]
) -> Callable[[Frame], bool]:
    """Return what py-amqp calls for every frame. A message gets its `properties`, its `table` and why it is `unreadable` from `properties.read`.

    py-amqp itself sees none of that: what it cannot read would end the connection. Nor does it see a body that comes when `has_room` says no: the
    message `is_left`, without its body, and has to be given back.
    """
    written: dict[int, tuple[bytes, bool]] = {}
    left: dict[int, int] = {}

    def arrived(channel: int, method: Any, arguments: bytes, message: Any) -> None:
        if message is not None:
            data, message.is_left = written.pop(channel)
            message.properties, message.table, message.unreadable = read(data)
        callback(channel, method, arguments, message)

    handle = frame_handler(connection, arrived)

    def read_frame(frame: Frame) -> bool:
        kind, channel, payload = frame
        if kind == HEADER:
            class_id, weight, size = BASIC.unpack_from(payload)
            is_left = size > 0 and not has_room()
            written[channel] = payload[BASIC.size :], is_left
            if is_left:
                left[channel], size = size, 0
            payload = BASIC.pack(class_id, weight, size) + NO_PROPERTIES
        elif kind == BODY and channel in left:
            left[channel] -= len(payload)
            if left[channel] <= 0:
                del left[channel]
            return False
        return bool(handle((kind, channel, payload)))

    return read_frame


def _no_frame() -> DeliveryError:
    return DeliveryError("expected a frame of AMQP 0-9-1, got something else: is this a RabbitMQ?")


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return b"".join((FRAME.pack(kind, channel, len(payload)), payload, END_OF_FRAME))


def _short(text: str) -> bytes:
    """Encode a short string (section 4.2.5.3)."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > SHORT:
        raise DeliveryError(f"{text[:SHOWN]!r}... has {len(data)} bytes, and {SHORT} is the most for a name")
    return bytes((len(data),)) + data


def _table(headers: Mapping[str, str]) -> bytes:
    """Encode a table of long strings (section 4.2.5.5)."""
    entries: list[bytes] = []
    for name, value in headers.items():
        data = value.encode("utf-8", "surrogatepass")
        entries += (_short(name), LONG_STRING, LENGTH.pack(len(data)), data)
    table = b"".join(entries)
    return LENGTH.pack(len(table)) + table


TYPE_AND_ENCODING: Final = _short(CONTENT_TYPE) + _short(CONTENT_ENCODING)

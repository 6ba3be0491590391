"""The bytes of an envelope: no I/O, no decoding of what is only carried along.

Law: every contribution sits in an Avro array block of its own, `-1, size, item`, and the array is the last field. So appending is a
concatenation, finding is a walk over block sizes, and each earlier event is a byte prefix of a later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from stamp.envelope import contribution
from stamp.envelope.format import HEADER, MAGIC
from stamp.envelope.limits import LIMITS, Limits
from stamp.errors import LimitError, WireError
from stamp.schema.decoder import decoder
from stamp.schema.values import MalformedError, block, long_tail, too_long
from stamp.schema.varint import sized, zigzag

__all__ = [
    "END",
    "First",
    "Header",
    "Index",
    "Latest",
    "append",
    "begin",
    "canonical",
    "event_span",
    "index",
    "read_event",
    "read_first",
    "read_header",
    "read_latest",
    "read_payload",
    "split",
]

END: Final = b"\0"
ONE_ITEM: Final = b"\1"
"""The count -1: one item follows, after its size in bytes."""

EVERY: Final = (b"",)
"""In place of encoded step names: all of them begin so."""

Span: TypeAlias = tuple[int, int]

BEFORE_EVENT: Final = (0, 16, 0)
"""The bytes of fixed size before the step, the payload and the event of a contribution: the schema id before the payload."""

_HEADER: Final = decoder(HEADER)


class Header(NamedTuple):
    """What an envelope says once, for all its contributions. `started_at` is in microseconds since 1970 UTC."""

    workflow: str
    workflow_id: str
    started_at: int
    attributes: Mapping[str, str]


def begin(header: Header) -> bytes:
    """Return an envelope that has no contribution yet."""
    text = (sized(header.workflow.encode()), sized(header.workflow_id.encode()))
    return b"".join((MAGIC, *text, zigzag(header.started_at), contribution.strings(header.attributes), END))


def append(body: bytes, item: bytes, limits: Limits = LIMITS) -> bytes:
    """Return a canonical `body` with one more contribution, given in its encoded form, as the last one.

    The new block goes where the closing zero was: nothing before it is decoded or copied field by field (Avro 1.12, "Arrays").

    Raises:
        LimitError: the contribution, or the envelope with it, is too large to be read again.
    """
    appended = b"".join((memoryview(body)[:-1], ONE_ITEM, sized(item), END))
    if len(appended) > limits.message:
        raise LimitError(
            f"expected an envelope of at most {limits.message} bytes, got {len(appended)} with this contribution"
        )
    if len(item) > limits.contribution:
        raise LimitError(f"expected a contribution of at most {limits.contribution} bytes, got {len(item)}")
    return appended


def read_header(body: bytes, limits: Limits = LIMITS) -> tuple[Header, int]:
    """Return the header of an envelope, and where its contributions begin.

    Raises:
        WireError: these bytes are no envelope of this version.
        LimitError: they are too many.
    """
    if len(body) > limits.message:
        raise LimitError(f"expected at most {limits.message} bytes, got {len(body)}")
    if not body.startswith(MAGIC):
        raise WireError(_foreign(body), offset=0)
    return _read_header(body, len(MAGIC))


def _read_header(data: bytes, at: int) -> tuple[Header, int]:
    try:
        middle = at + 1 + (data[at] >> 1)
        end = middle + 1 + (data[middle] >> 1)
        if not (data[at] | data[middle]) & 129:  # two names of less than 64 bytes
            number, stop = data[end], end + 1
            if number > 127:
                number, stop = long_tail(data, stop, number)
            if not data[stop] and not number & 1:  # no attributes
                workflow, workflow_id = data[at + 1 : middle].decode(), data[middle + 1 : end].decode()
                return Header(workflow, workflow_id, number >> 1, {}), stop + 1
    except (IndexError, ValueError):
        pass  # the decoder says what is wrong, and where
    fields, stop = _HEADER.read(data, at, len(data))
    return Header(*fields.values()), stop


def _foreign(body: bytes) -> str:
    if body[:2] != MAGIC[:2]:
        return f"expected an Avro single-object encoding, which begins with c301, got {body[:2].hex() or 'nothing'}"
    if len(body) < len(MAGIC):
        return f"expected an envelope, got only {len(body)} bytes"
    return f"expected the schema fingerprint {MAGIC[2:].hex()} of stamp.Envelope version 1, got {body[2:10].hex()}"


class Index(NamedTuple):
    """Where contributions lie in a body, as begin and end: those that were asked for, in their order, and the last of all `total`."""

    spans: list[Span]
    last: Span | None
    total: int


def index(body: bytes, at: int, limits: Limits = LIMITS, *, steps: tuple[bytes, ...] = EVERY) -> Index | None:
    """Return where the contributions of `steps` are, given by their encoded names, in a body whose array begins at `at`.

    Reads no more than the sizes of blocks and the beginnings of names. None when the array has blocks of another form than ours:
    legal Avro, which `canonical` turns into ours.

    Raises:
        WireError: the blocks do not end where the body ends.
        LimitError: there are too many contributions, or too large ones.
    """
    spans: list[Span] = []
    item = last = at + 3
    count, stop, lengths, begins_with = 0, len(body) + 2, _LENGTHS, body.startswith
    try:
        while item < stop:
            last = item
            item += lengths[body[item - 3 : item]]
            if begins_with(steps, last):
                spans.append((last, item - 3))
            count += 1
    except KeyError:
        item = -1
    if item != stop or body[-1] or limits.contribution < TYPICAL_SIZE or count > limits.contributions:
        return _index(body, at, limits, steps)
    return Index(spans, (last, stop - 3) if count else None, count)


_LENGTHS: Final[dict[bytes, int]] = {}
"""The lengths of blocks by their first three bytes, learnt as they come: -1, then a size of two bytes, as nearly always.

There are no more than 8,128 such beginnings.
"""

TYPICAL_SIZE: Final = 1 << 13
"""No item whose size takes two bytes is larger."""


def _index(body: bytes, at: int, limits: Limits, steps: tuple[bytes, ...]) -> Index | None:
    """Return what `index` does, for blocks of any size, or say what is wrong with them; learn the typical ones."""
    spans: list[Span] = []
    count, begin = 0, -1
    try:
        while body[at] == 1:
            begin, size = at + 2, body[at + 1]
            if size > 127:
                size, begin = long_tail(body, begin, size)
            if size & 1 or size >> 1 > limits.contribution:
                raise _misshapen(size, begin, limits)
            if begin == at + 3:
                _LENGTHS[body[at:begin]] = 3 + (size >> 1)
            at = begin + (size >> 1)
            if body.startswith(steps, begin):
                spans.append((begin, at))
            count += 1
        if body[at]:
            return None
    except IndexError:
        raise WireError("expected a contribution or the end of the array, got the end", offset=len(body)) from None
    except MalformedError as error:
        raise WireError(str(error), offset=at) from None
    if at + 1 != len(body):
        raise WireError(f"expected the end of the envelope, got {len(body) - at - 1} more bytes", offset=at + 1)
    if count > limits.contributions:
        raise LimitError(f"expected at most {limits.contributions} contributions, got {count}")
    return Index(spans, (begin, at) if count else None, count)


def _misshapen(size: int, at: int, limits: Limits) -> WireError:
    if size & 1:
        return WireError(f"expected the size of a block, got {-(size >> 1) - 1}", offset=at)
    return LimitError(f"expected a contribution of at most {limits.contribution} bytes, got {size >> 1}", offset=at)


def read_payload(body: bytes, span: Span, step: bytes) -> tuple[bytes, bytes]:
    """Return the schema id and the payload of a contribution, whose step is given by its encoded name, and read no more.

    Raises:
        WireError: they do not lie within the contribution.
    """
    at = span[0] + len(step)
    begin = at + 17
    try:
        size = body[at + 16]
        if size > 127:
            size, begin = long_tail(body, begin, size)
        end = begin + (size >> 1)
        if end <= span[1] and not size & 1:
            return body[at : at + 16], body[begin:end]
    except (IndexError, MalformedError):
        pass  # said below, as for what reaches past the end
    raise WireError("expected a schema id and a payload in a contribution", offset=at)


class Latest(NamedTuple):
    """Which event an envelope is, without what it holds."""

    workflow: str
    workflow_id: str
    event: str
    event_id: bytes


def read_latest(body: bytes, limits: Limits = LIMITS) -> Latest:
    """Return which event an envelope is: that of its last contribution.

    Raises:
        WireError: the body is no envelope, or one without a contribution.
        LimitError: it passes the limits.
    """
    header, at = read_header(body, limits)
    found = index(body, at, limits, steps=())
    if found is None:
        body = canonical(body, at, limits)
        found = index(body, at, limits, steps=())
        assert found is not None
    if found.last is None:
        raise WireError("expected an envelope with a contribution, got an empty one")
    return Latest(header.workflow, header.workflow_id, *read_event(body, found.last))


def read_event(body: bytes, span: Span) -> tuple[str, bytes]:
    """Return the event of a contribution and its id, and read no more.

    Raises:
        WireError: they do not lie within the contribution.
    """
    begin, at = event_span(body, span)
    try:
        return body[begin:at].decode(), body[at : at + 16]
    except ValueError:
        raise _no_event(span) from None


class First(NamedTuple):
    """An envelope that holds the first event of a run: its header, and in encoded form the step, the schema, the payload and the event."""

    header: Header
    written: bytes


def read_first(body: bytes, limits: Limits = LIMITS) -> First | None:
    """Return what an envelope begins a run with, and read no more; None if it is of a later event: one of several, or one that has a cause.

    Raises:
        WireError: the body is no envelope.
        LimitError: it passes the limits.
    """
    header, at = read_header(body, limits)
    found = index(body, at, limits, steps=())
    if found is None:
        body = canonical(body, at, limits)
        found = index(body, at, limits, steps=())
        assert found is not None
    if found.last is None or found.total > 1:
        return None
    _, end = event_span(body, found.last)
    return None if body[end + 16] else First(header, body[found.last[0] : end])


def event_span(body: bytes, span: Span) -> Span:
    """Return where the event of a contribution begins, and where its id does.

    Raises:
        WireError: they do not lie within the contribution.
    """
    begin = at = span[0]
    try:
        for skipped in BEFORE_EVENT:
            begin = at + skipped + 1
            size = body[begin - 1]
            if size > 127:
                size, begin = long_tail(body, begin, size)
            if size & 1:
                raise too_long(size, span[1] - begin)
            at = begin + (size >> 1)
        if at + 16 <= span[1]:
            return begin, at
    except (IndexError, ValueError):
        pass  # said below, as for what reaches past the end
    raise _no_event(span)


def _no_event(span: Span) -> WireError:
    return WireError("expected a step, a schema, a payload and an event in a contribution", offset=span[0])


def canonical(body: bytes, at: int, limits: Limits = LIMITS) -> bytes:
    """Return `body`, whose contributions begin at `at` in any legal Avro array encoding, with one block for each of them.

    The bytes of each contribution stay as they are.

    Raises:
        WireError: the array, or a contribution in it, is not well-formed.
        LimitError: there are too many contributions.
    """
    spans, stop = _walk(body, at, limits)
    if stop != len(body):
        raise WireError(f"expected the end of the envelope, got {len(body) - stop} more bytes", offset=stop)
    parts = [body[:at]]
    for begin, end in spans:
        parts += (ONE_ITEM, sized(body[begin:end]))
    return b"".join((*parts, END))


def split(data: bytes, limits: Limits = LIMITS) -> Iterator[bytes]:
    """Yield the body of each envelope in `data`, where their records follow one another without magic, as in a container file.

    Raises:
        WireError: there is something else.
    """
    at = 0
    while at < len(data):
        _, begin = _read_header(data, at)
        _, stop = _walk(data, begin, limits)
        yield MAGIC + data[at:stop]
        at = stop


def _walk(data: bytes, at: int, limits: Limits) -> tuple[list[Span], int]:
    """Return where the contributions of an array in any legal encoding begin and end, and where the array ends."""
    spans: list[Span] = []
    try:
        count, stop, at = block(data, at, len(data))
        while count:
            if len(spans) + count > limits.contributions:
                seen = len(spans) + count
                raise LimitError(f"expected at most {limits.contributions} contributions, got {seen}", offset=at)
            for _ in range(count):
                begin = at
                _, at = contribution.decode(data, at, len(data))
                spans.append((begin, at))
            if stop >= 0 and at != stop:
                raise WireError(f"expected a block of contributions that ends at byte {stop}", offset=at)
            count, stop, at = block(data, at, len(data))
    except IndexError:
        raise WireError("expected a contribution or the end of the array, got the end", offset=len(data)) from None
    except MalformedError as error:
        raise WireError(str(error), offset=at) from None
    return spans, at

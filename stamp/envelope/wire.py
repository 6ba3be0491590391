"""The bytes of an envelope: no I/O, no decoding of what is only carried along.

Law: every contribution sits in an Avro array block of its own, `-1, size, item`, and the array is the last field. So appending is a
concatenation, finding is a walk over block sizes, and each earlier event is a byte prefix of a later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from stamp.envelope import contribution
from stamp.envelope.format import HEADER, MAGIC
from stamp.envelope.limits import LIMITS, Limits
from stamp.errors import LimitError, WireError
from stamp.schema.decoder import decoder
from stamp.schema.values import MalformedError, block, long_tail, too_long
from stamp.schema.varint import sized, zigzag

__all__ = ["END", "Header", "Index", "Opening", "append", "begin", "canonical", "index", "read_header", "split"]

END: Final = b"\0"
ONE_ITEM: Final = b"\1"
"""The count -1: one item follows, after its size in bytes."""

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
    appended = b"".join((body[:-1], ONE_ITEM, sized(item), END))
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
    fields, at = _HEADER.read(body, len(MAGIC), len(body))
    return Header(**fields), at


def _foreign(body: bytes) -> str:
    if body[:2] != MAGIC[:2]:
        return f"expected an Avro single-object encoding, which begins with c301, got {body[:2].hex() or 'nothing'}"
    if len(body) < len(MAGIC):
        return f"expected an envelope, got only {len(body)} bytes"
    return f"expected the schema fingerprint {MAGIC[2:].hex()} of stamp.Envelope version 1, got {body[2:10].hex()}"


class Opening(NamedTuple):
    """The first fields of a contribution after its step: what the next steps need of it."""

    schema_id: bytes
    payload: bytes
    event: bytes
    event_id: bytes


class Index(NamedTuple):
    """Where the contributions of a body begin and end, in their order: `body[begins[n]:ends[n]]` is the nth."""

    begins: list[int]
    ends: list[int]

    def latest(self, body: bytes, step: bytes, before: int | None = None) -> int | None:
        """Return the number of the latest contribution of a step, given by its encoded name: of those below `before` if given."""
        begins = self.begins
        for number in range((len(begins) if before is None else before) - 1, -1, -1):
            if body.startswith(step, begins[number]):
                return number
        return None

    def opening(self, body: bytes, number: int) -> Opening:
        """Return the opening fields of a contribution without reading the rest of it.

        Raises:
            WireError: they do not lie within the contribution.
        """
        try:
            _, at = _sized(body, self.begins[number])
            schema_id = body[at : at + 16]
            payload, at = _sized(body, at + 16)
            event, at = _sized(body, at)
            if at + 16 <= self.ends[number]:
                return Opening(schema_id, payload, event, body[at : at + 16])
        except (IndexError, MalformedError):
            pass  # said below, as for what reaches past the end
        raise WireError(
            "expected a step, a schema, a payload and an event in a contribution", offset=self.begins[number]
        )


def _sized(body: bytes, at: int) -> tuple[bytes, int]:
    length = body[at]
    at += 1
    if length > 127:
        length, at = long_tail(body, at, length)
    if length & 1:
        raise too_long(length, len(body) - at)
    end = at + (length >> 1)
    return body[at:end], end


def index(body: bytes, at: int, limits: Limits = LIMITS) -> Index | None:
    """Return where the contributions of `body` are, whose array begins at `at`. Reads no more than the sizes of blocks.

    None when the array has blocks of another form than ours: legal Avro, which `canonical` turns into ours.

    Raises:
        WireError: the blocks do not end where the body ends.
        LimitError: there are too many contributions, or too large ones.
    """
    begins: list[int] = []
    ends: list[int] = []
    try:
        while body[at] == 1:
            size = body[at + 1]
            begin = at + 2
            if size > 127:
                size, begin = long_tail(body, begin, size)
            at = begin + (size >> 1)
            if size & 1:
                raise WireError(f"expected the size of a block, got {-(size >> 1) - 1}", offset=begin)
            begins.append(begin)
            ends.append(at)
        if body[at]:
            return None
    except IndexError:
        raise WireError("expected a contribution or the end of the array, got the end", offset=len(body)) from None
    except MalformedError as error:
        raise WireError(str(error), offset=at) from None
    if at + 1 != len(body):
        raise WireError(f"expected the end of the envelope, got {len(body) - at - 1} more bytes", offset=at + 1)
    _check(begins, ends, limits)
    return Index(begins, ends)


def _check(begins: list[int], ends: list[int], limits: Limits) -> None:
    if len(begins) > limits.contributions:
        raise LimitError(f"expected at most {limits.contributions} contributions, got {len(begins)}")
    if begins and ends[-1] - begins[0] > limits.contribution:  # only then can one of them be too large
        for begin, end in zip(begins, ends, strict=True):
            if end - begin > limits.contribution:
                raise LimitError(
                    f"expected a contribution of at most {limits.contribution} bytes, got {end - begin}", offset=begin
                )


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
        _, begin = _HEADER.read(data, at, len(data))
        _, stop = _walk(data, begin, limits)
        yield MAGIC + data[at:stop]
        at = stop


def _walk(data: bytes, at: int, limits: Limits) -> tuple[list[tuple[int, int]], int]:
    """Return where the contributions of an array in any legal encoding begin and end, and where the array ends."""
    spans: list[tuple[int, int]] = []
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

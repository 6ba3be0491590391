"""What an event says, apart from when and how often it was said: two events of one id must not differ in it."""

from __future__ import annotations

import re
from typing import Final

from stamp.envelope import wire
from stamp.envelope.contribution import identify
from stamp.envelope.limits import Limits
from stamp.errors import WireError
from stamp.schema.values import MalformedError, block, long_tail
from stamp.schema.varint import sized, zigzag

__all__ = ["ANY_SIZE", "TRACE_CONTEXT", "content"]

TRACE_CONTEXT: Final = ("traceparent", "tracestate")
"""Attributes of a run that say nothing of it."""

ANY_SIZE: Final = Limits(message=2**40, contributions=2**40, contribution=2**40)
"""Whoever takes an event in has held it to the limits of its workflow."""

FAILED: Final = 2
"""The byte of the outcome FAILED."""


def content(body: bytes) -> bytes:
    """Return a digest of what an event says, 16 bytes: the same for the same work that is done, or published, again.

    It is of the run and its attributes, and of each contribution: step, schema, payload, event, id, causes and outcome. Left out is what
    differs when work is done a second time: times, the trace context, attributes of contributions, and signatures; and of
    failures what they say, which may hold an address in memory. The encoding of the array makes no difference. What is no envelope is digested as it is.
    """
    try:
        header, at = wire.read_header(body, ANY_SIZE)
        found = wire.index(body, at, ANY_SIZE)
        if found is None:
            body = wire.canonical(body, at, ANY_SIZE)
            found = wire.index(body, at, ANY_SIZE)
            assert found is not None
        said = [part for span in found.spans for part in _said(body, span)]
    except (WireError, MalformedError, IndexError):
        return identify(body)
    names = sorted(header.attributes.keys() - TRACE_CONTEXT)
    attributes = [sized(text.encode()) for name in names for text in (name, header.attributes[name])]
    run = (sized(header.workflow.encode()), sized(header.workflow_id.encode()), zigzag(len(names)))
    return identify(*run, *attributes, *said)


def _said(body: bytes, span: wire.Span) -> tuple[bytes, ...]:
    """Return what a contribution says; it ends at the outcome, which comes after the causes and two times."""
    begin, id_ = wire.event_span(body, span)
    end = id_ + 16
    causes, at = _causes(body, end)
    times = TWO_NUMBERS.match(body, at)
    if times is None:
        raise IndexError
    at = times.end()
    count, outcome = zigzag(len(causes) >> 4), body[at : at + 1]
    if body[at] == FAILED:
        return body[span[0] : _end_of_text(body, span[0])], body[begin:end], count, causes, outcome
    return body[span[0] : end], count, causes, outcome


TWO_NUMBERS: Final = re.compile(rb"(?:[\x80-\xff]*[\x00-\x7f]){2}")


def _causes(body: bytes, at: int) -> tuple[bytes, int]:
    """Return the ids of causes one after the other, and where their array ends."""
    if not body[at]:
        return b"", at + 1
    if body[at] == ONE and not body[at + 17]:
        return body[at + 1 : at + 17], at + 18
    causes = b""
    count, _, at = block(body, at, len(body))
    while count:
        causes += body[at : at + 16 * count]
        count, _, at = block(body, at + 16 * count, len(body))
    return causes, at


ONE: Final = 2
"""The count 1, as our writer begins an array of one cause."""


def _end_of_text(body: bytes, at: int) -> int:
    size, begin = body[at], at + 1
    if size > 127:
        size, begin = long_tail(body, begin, size)
    return begin + (size >> 1)

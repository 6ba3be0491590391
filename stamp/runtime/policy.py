"""How a worker works: how much at once, how often, how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stamp.errors import InputError
from stamp.runtime.retry import RETRY, Retry
from stamp.runtime.span import BYTES, HANDLERS, MESSAGES, SECONDS, Span
from stamp.runtime.transport import PREFETCH_BYTES

__all__ = ["POLICY", "Policy"]

SPANS: Final[Mapping[str, Span]] = {
    "concurrency": HANDLERS,
    "prefetch": MESSAGES,
    "prefetch_bytes": BYTES,
    **dict.fromkeys(("lease", "resend", "horizon", "schema_patience", "patience", "grace"), SECONDS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a worker works. Times are in seconds.

    concurrency: how many handlers run at the same time.
    prefetch: how many messages a broker gives out before they are acknowledged.
    prefetch_bytes: how many bytes they may have; while they have more, none is fetched. One is, however large it is.
    retry: how often work is tried, and how long it rests in between.
    lease: how long work is taken for. It is renewed while the worker lives, so this is how long others wait for works of one that died.
    resend: after how long an event without a receipt is sent again; each time twice as long.
    horizon: how long repeats are recognised, and final events kept.
    schema_patience: how long a message waits for a writer schema that nobody here knows yet, before it becomes a dead letter.
    patience: how long work may be held, its handler included, before another attempt may begin; None: any time.
    grace: how long a worker that is told to stop waits for its handlers.
    expose_errors: whether the texts of errors go into failure events, the store and dead letters, where other services see them. If not, those
        tell the type and an event id; the log of this process tells the text with that id.

    Raises:
        InputError: a number out of bounds, which `stamp.runtime.span` tells, or `expose_errors` that is neither True nor False.
    """

    concurrency: int = 1
    prefetch: int = 200
    prefetch_bytes: int = PREFETCH_BYTES
    retry: Retry = RETRY
    lease: float = 30.0
    resend: float = 5.0
    horizon: float = 7 * 24 * 3600.0
    schema_patience: float = 24 * 3600.0
    patience: float | None = None
    grace: float = 30.0
    expose_errors: bool = True

    def __post_init__(self) -> None:
        for name, span in SPANS.items():
            if name != "patience" or self.patience is not None:
                span.check(getattr(self, name), name)
        if not isinstance(self.expose_errors, bool):  # any text is true, "no" as well
            raise InputError(f"expected True or False, got {self.expose_errors!r}", path="expose_errors")


POLICY: Final = Policy()

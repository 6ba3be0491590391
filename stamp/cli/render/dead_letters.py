"""Dead letters as a table, and each as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from stamp.cli.render.quantity import counted
from stamp.cli.render.table import Col, FittingTable
from stamp.cli.render.value import short
from stamp.cli.render.visible import visible
from stamp.runtime.graveyard import Dead
from stamp.schema.values import instant

__all__ = ["SHOWN", "document", "error_line", "listing"]

SHOWN: Final = 50
"""How many dead letters are told one by one, unless somebody wants more."""

DIGITS: Final = 8
"""How many digits of an event id are shown, as long as they tell it from the others that are shown."""

LONGEST: Final = 200
"""Characters of an error; `stamp dlq show` has all."""


def listing(shown: Sequence[Dead], reasons: Counter[str], address: str, *, is_filtered: bool) -> RenderableType:
    """Return some dead letters, and how many there are of each reason in all."""
    if not reasons:
        what = "no dead letters of that kind" if is_filtered else "no dead letters"
        return Text(visible(f"{what} in {address}"))
    return Group(_table(shown), Text(), Text(visible(_summary(len(shown), reasons, address))))


def _table(shown: Sequence[Dead]) -> FittingTable:
    table = FittingTable(
        Col("id"),
        Col("queue", least=50),
        Col("run"),
        Col("event", least=140),
        Col("reason", least=100),
        Col("attempts", justify="right", least=130),
        Col("died", least=115),
        Col("error", overflow="ellipsis", share=1, least=60),
    )
    digits = _digits(shown)
    for each in shown:
        table.add_row(
            each.message.event_id.hex()[:digits],
            *(Text(visible(text)) for text in (each.queue, each.message.workflow_id or "-", each.message.event or "-")),
            Text(visible(each.letter.reason)),
            "-" if each.attempts is None else f"{each.attempts:,}",
            "-" if each.last_at is None else f"{instant(each.last_at):%Y-%m-%d %H:%M:%S}",
            Text(short(error_line(each) or each.letter.reason, LONGEST), "dim"),
        )
    return table


def _digits(shown: Sequence[Dead]) -> int:
    ids = {each.message.event_id.hex() for each in shown}
    return next(number for number in range(DIGITS, 33) if len({each[:number] for each in ids}) == len(ids))


def error_line(dead: Dead) -> str:
    """Return what went wrong, on one line."""
    return visible(": ".join(filter(None, (dead.letter.error_type, dead.letter.error_message))))


def _summary(shown: int, reasons: Counter[str], address: str) -> str:
    total = reasons.total()
    by_reason = ", ".join(f"{number:,} {reason}" for reason, number in reasons.most_common())
    more = f"; {total - shown:,} of them are not shown, see --limit" if total > shown else ""
    return f"{counted(total, 'dead letter')} in {address}: {by_reason}{more}"


def document(dead: Dead) -> dict[str, Any]:
    """Return a dead letter in JSON values, without what is large."""
    queue, message, letter, attempts, first_at, last_at, _ = dead
    return {
        "id": message.event_id.hex(),
        "queue": queue,
        "workflow": message.workflow,
        "workflow_id": message.workflow_id,
        "event": message.event,
        "reason": letter.reason,
        "error_type": letter.error_type,
        "error_message": letter.error_message,
        "attempts": attempts,
        "first_at": _time(first_at),
        "last_at": _time(last_at),
        "bytes": len(message.body),
    }


def _time(micros: int | None) -> str | None:
    return None if micros is None else instant(micros).isoformat()

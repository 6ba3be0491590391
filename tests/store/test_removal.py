"""A consumer that is gone: what waits for it is counted, and given up for good; nobody else is touched."""

from __future__ import annotations

from sqlalchemy import func, select

from stamp.store import dead_letters, inbox, outbox, removal
from stamp.store.backlog import backlog
from stamp.store.letter import Letter
from stamp.store.message import Message
from stamp.store.removal import Left
from stamp.store.tables import CONTENTS, INBOX, OUTBOX


def message(number: int) -> Message:
    return Message("shop", "1", "Ordered", bytes([number]) * 16, b"body", {})


def test_what_waits_is_given_up_and_counts_as_done(store):
    with store.begin() as tx:
        inbox.put(tx, [("shop.gone", message(number)) for number in (1, 2, 3)] + [("shop.other", message(1))], now=1)
        dead_letters.bury(tx, "shop.gone", message(9), Letter("no-envelope", "", ""), now=1)
        outbox.put(tx, [(message(number), "shop.gone") for number in (3, 4)], now=1, resend_at=1)  # 3 has arrived
        outbox.put(tx, [(message(4), "shop.other")], now=1, resend_at=1)
        [_] = inbox.take(tx, ["shop.gone"], limit=1, now=2, lease=10)
    with store.read() as connection:
        assert removal.left(connection, "shop.gone", now=5) == Left(waiting=3, at_work=1, unsent=1)
        assert removal.left(connection, "shop.gone", now=20) == Left(waiting=3, at_work=0, unsent=1)
        assert removal.left(connection, "shop.nobody", now=5) == Left(0, 0, 0)

    with store.begin() as tx:
        removal.discard(tx, "shop.gone", now=30)

    with store.read() as connection:
        assert removal.left(connection, "shop.gone", now=30) == Left(0, 0, 0)
        assert {name: (each.waiting, each.dead) for name, each in backlog(connection).items()} == {
            "shop.gone": (0, 1),
            "shop.other": (1, 0),
        }
        assert connection.execute(select(OUTBOX.c.consumer)).scalars().all() == ["shop.other"]
        kept = select(func.count()).select_from(CONTENTS.join(INBOX, INBOX.c.number == CONTENTS.c.number))
        assert connection.execute(kept).scalar() == 2
    with store.begin() as tx:
        assert inbox.put(tx, [("shop.gone", message(1))], now=40) == 0  # a repeat is known

"""Whatever a sender writes into the properties of a message, a worker and `stamp dlq` go on; the whole campaign is `python tests/hostile/tables.py`."""

from __future__ import annotations

from .tables import run


def test_hostile_tables_give_messages_and_nothing_else():
    summary = run(2_000, seed=20_261_130)
    assert summary.findings == []
    assert summary.is_well, summary
    assert all(summary.outcomes[each] > 100 for each in ("Consumer: readable", "Consumer: unreadable", "Looker: dead"))

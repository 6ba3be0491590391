"""All rules, in the order in which they are told: who breaks, what a change takes away, how steps hang together, what is good to know.

A rule is a file of this folder, called as its id. The last three are about entries that accept findings.
"""

from __future__ import annotations

from typing import Final

from stamp.ripple.rule import Rule
from stamp.ripple.rules import (
    acceptance_changed,
    acceptance_expired,
    acceptance_unused,
    contract_behind_code,
    event_newly_heard,
    event_no_longer_heard,
    event_too_large,
    event_without_consumer,
    event_without_producer,
    failure_event_emitted,
    field_conflict,
    field_unread,
    model_refuses,
    new_data_breaks,
    no_safe_order,
    old_data_breaks,
    read_not_guaranteed,
    read_without_writer,
    removed_while_used,
    retired_while_written,
    runs_under_way,
    step_starved,
    step_triggered_twice,
    step_unreachable,
    validator_unseen,
    version_changed,
    version_incompatible,
    version_skipped,
    view_breaks,
)

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (
    view_breaks.RULE,
    old_data_breaks.RULE,
    new_data_breaks.RULE,
    model_refuses.RULE,
    removed_while_used.RULE,
    step_starved.RULE,
    version_changed.RULE,
    retired_while_written.RULE,
    version_skipped.RULE,
    version_incompatible.RULE,
    no_safe_order.RULE,
    read_without_writer.RULE,
    read_not_guaranteed.RULE,
    step_unreachable.RULE,
    step_triggered_twice.RULE,
    failure_event_emitted.RULE,
    contract_behind_code.RULE,
    event_too_large.RULE,
    runs_under_way.RULE,
    event_no_longer_heard.RULE,
    event_newly_heard.RULE,
    event_without_consumer.RULE,
    event_without_producer.RULE,
    field_conflict.RULE,
    field_unread.RULE,
    validator_unseen.RULE,
    acceptance_changed.RULE,
    acceptance_expired.RULE,
    acceptance_unused.RULE,
)
"""Every rule."""

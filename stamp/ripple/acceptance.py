"""Findings that somebody has accepted: by rule and path, with a reason, and for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["Acceptance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An entry that accepts what a rule finds at a path.

    `path` is one of a finding, in which `*` stands for any part. `until` is the last day on which the entry holds. `file` and `line`
    tell where it stands.
    """

    rule: str
    path: str
    reason: str
    until: date | None = None
    workflow: str | None = None
    file: str | None = None
    line: int | None = None

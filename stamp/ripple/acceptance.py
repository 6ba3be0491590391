"""Findings that somebody has accepted: by rule and path, with a reason, and for a while."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date

from stamp.compat import Fragment

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

    @property
    def place(self) -> Fragment | None:
        """Where the entry stands, None if it comes from no file."""
        if self.file is None:
            return None
        text = json.dumps({"rule": self.rule, "path": self.path}, ensure_ascii=False)
        return Fragment(text, "", self.file, self.line)

    def is_expired(self, today: date) -> bool:
        """Tell whether the last day of the entry is over."""
        return self.until is not None and self.until < today

    def fits(self, *, rule: str, path: str, workflow: str) -> bool:
        """Tell whether the entry is about what a rule has found at a path of a workflow, expired or not."""
        pattern = ".*".join(map(re.escape, self.path.split("*")))
        return (
            self.rule == rule
            and self.workflow in {None, workflow}
            and re.fullmatch(pattern, path, re.DOTALL) is not None
        )

"""What `check` and `plan` say of a change, as in CI: the contracts that services have announced, with those of the change put in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from change import Change
from forks import Forks
from ground import Ground
from repository import Repository

__all__ = ["Review", "review"]


@dataclass(frozen=True, kw_only=True)
class Review:
    """The exit status of both commands, the phases, and the rules of the errors and of the new warnings that were found."""

    check: int
    plan: int
    phases: Sequence[Sequence[str]]
    rules: Sequence[str]
    warnings: Sequence[str]

    @property
    def is_safe(self) -> bool:
        return self.check == 0 and self.plan == 0


def review(forks: Forks, ground: Ground, folder: Path, repositories: Iterable[Repository], change: Change) -> Review:
    """Compare what is announced with the same after the change, whose contracts are exported already."""
    folder.mkdir()
    forks.call("contracts", "pull", *ground.place, "--workflow", ground.workflow, "--out", "schemas", cwd=folder)
    for repository in repositories:
        repository.deliver(folder / "schemas")
    for step in change.removed:
        shutil.rmtree(folder / "schemas" / ground.workflow / step)
    options = ["schemas", "--against", ground.baseline, "--format", "json"]
    check = forks.call("check", *options, cwd=folder, allowed=(0, 1))
    plan = forks.call("plan", *options, cwd=folder, allowed=(0, 1))
    found = json.loads(check.text)["impacts"]
    phases = [phase["steps"] for rollout in json.loads(plan.text)["rollouts"] for phase in rollout["phases"]]
    warnings = [each["rule"] for each in found if each["severity"] == "warning" and not each["known"]]
    errors = [each["rule"] for each in found if each["severity"] == "error"]
    rules, warnings = (list(dict.fromkeys(each)) for each in (errors, warnings))
    return Review(check=check.status, plan=plan.status, phases=phases, rules=rules, warnings=warnings)

"""What services have announced of a workflow, beside its contracts folder. Where nothing is announced, nothing is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stamp.errors import StampError
from stamp.runtime.directories import Directories
from stamp.runtime.doctor.diagnosis import Diagnosis, ok, problem, warning
from stamp.workflow.announced import AnnouncedStep, announced
from stamp.workflow.announcement import Documents
from stamp.workflow.difference import Difference, difference

__all__ = ["examine", "gone", "nobody", "unusable"]

USELESS: Final = "without it services know neither new versions nor new listeners of one another"


def gone(workflow: str, step: str, option: str) -> str:
    """Return what to do about a listener that does not come back. `option` says where it is announced, such as `--store ...`."""
    return f"if its service is gone for good: stamp contracts remove {step} --workflow {workflow} {option} --discard"


def nobody(workflow: str, step: str, *, is_announced: bool) -> str:
    """Return what to do about a queue at a broker that nobody consumes; one that is announced may be of a service that is gone."""
    run = f"nobody works on them: stamp run ... --step {step}"
    return f"{run}; or {gone(workflow, step, '--broker ...')}" if is_announced else run


def examine(place: Directories, workflow: str, folder: Path, *, option: str) -> Iterator[Diagnosis]:
    """Look at the directory of a workflow, and at how the steps in it differ from those of a contracts folder; `option` as for `gone`."""
    try:
        documents = {key: each.text for key, each in place.read(workflow).items()}
    except StampError as error:
        yield problem("directory", str(error), USELESS)
        return
    if not documents:
        return
    yield from _unusable(documents, workflow, option)
    found = announced(documents, workflow)
    usable = [step for name, step in found.steps.items() if name not in found.broken]
    told = [each for step in usable for each in _step(step, folder / workflow / step.step, option)]
    yield from told or [ok("contracts", f"{len(usable):,} steps are announced, none otherwise than in {folder}")]


def unusable(place: Directories, workflow: str, *, option: str) -> Iterator[Diagnosis]:
    """Look at the directory of a workflow that nobody has named: only what is wrong in it is told. `option` as for `gone`.

    Raises:
        DeliveryError, StoreError: it cannot be used.
    """
    yield from _unusable({key: each.text for key, each in place.read(workflow).items()}, workflow, option)


def _unusable(documents: Documents, workflow: str, option: str) -> Iterator[Diagnosis]:
    found = announced(documents, workflow)
    count = len(found.faults) + len(found.broken)
    if count:
        advice = f"see them: stamp contracts list --workflow {workflow} {option}; a worker of the step announces it again when it starts"
        yield warning("directory", f"{count:,} documents of {workflow} that nobody can use", advice)


def _step(step: AnnouncedStep, home: Path, option: str) -> Iterator[Diagnosis]:
    what = f"contract of {step.step}"
    try:
        found = difference(home, step)
    except StampError as error:
        yield warning(what, str(error), "")
        return
    if found.is_new:
        return
    differing = [file.relative_to(home).as_posix() for file in (*found.missing, *found.said, *found.stale)]
    if found.ahead:
        yield ok(what, f"{', '.join(found.ahead)} in {home} is not announced: no service writes it yet")
    elif differing:
        yield warning(what, f"announced otherwise than in {home}: {', '.join(differing)}", _advice(found, option))


def _advice(found: Difference, option: str) -> str:
    fetch = f"stamp contracts pull {option} --step {found.home.name}"
    if found.missing:
        return f"what runs is ahead of the folder: {fetch}"
    return f"either the folder is not deployed yet, or it is behind: {fetch}"

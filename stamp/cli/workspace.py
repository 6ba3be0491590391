"""The contracts that a command line is about: a folder, and what it is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from stamp.cli.checkout import checkout
from stamp.cli.render.visible import visible
from stamp.errors import InputError
from stamp.ripple import Contracts, read_baseline, read_folder
from stamp.ripple.baseline import is_path
from stamp.ripple.foreign import followed
from stamp.ripple.repository import left_out
from stamp.url import scheme_of
from stamp.workflow.declaration import FILE

__all__ = ["is_announced", "names_revision", "states", "tell"]


def states(
    folder: Path, *, against: Iterable[str] = (), is_required: bool = False, workflows: Sequence[str] = ()
) -> list[Contracts]:
    """Return the present state of a contracts folder, then each one that it is compared with; of these workflows alone if any are named.

    Raises:
        InputError: this is no contracts folder, has no such workflow, or is compared with what is not there; or with nothing, where a baseline
            `is_required`.
        ContractError, SchemaError: a contract contradicts itself or cannot be read.
    """
    if (folder / FILE).exists():
        around = _around(_around(folder))
        raise InputError(f"expected a contracts folder, got that of a step: say {around}", file=folder)
    if any(folder.glob(f"*/{FILE}")):
        raise InputError(f"expected a contracts folder, got that of a workflow: say {_around(folder)}", file=folder)
    given = list(dict.fromkeys(against))
    if not all(given):
        raise InputError(
            "expected a branch, tag, commit, folder, .tar file, store: or broker: after --against, got nothing"
        )
    if is_required and not given:
        raise InputError(
            "expected --against beside --require-baseline, got nothing to compare with: say what runs now, such as origin/main"
        )
    now = _present(folder)
    baselines = [_baseline(each, folder, now, workflows) for each in given]
    chosen = list(_chosen([now, *baselines], workflows, folder))
    for before, state in zip(baselines, chosen[1:], strict=True):
        if not state.steps:
            _say_empty(state.name, workflows if before.steps else (), is_required=is_required)
    return chosen


def _say_empty(name: str, workflows: Sequence[str], *, is_required: bool) -> None:
    """Tell of a baseline without contracts, or without any of the workflows that are asked about."""
    what = f"contracts of {' and '.join(workflows)}" if workflows else "contracts"
    if is_required:
        raise InputError(
            f"expected {what} in {name}, got none, and --require-baseline does not take all of them for new. If they are the first ones, leave "
            "the option out this once; if the folder moved, give the old one as a .tar file"
        )
    if workflows:
        tell(f"{name} has no {what}: all of it counts as new")


def _present(folder: Path) -> Contracts:
    around = checkout(Path())
    if around.is_repository:
        followed(folder, around.top.resolve())
    if not any(folder.glob(f"*/*/{FILE}")) and (command := left_out(folder)):
        raise InputError(
            f"expected the contracts in the work tree, got none, for they are left out: run `{command}`", file=folder
        )
    return read_folder(folder)


def _baseline(given: str, folder: Path, now: Contracts, workflows: Sequence[str]) -> Contracts:
    if is_announced(given):
        from stamp.cli.contracts.baseline import read_announced  # noqa: PLC0415 - databases and brokers take long to import

        return read_announced(given, like=now, workflows=workflows, told=tell)
    if "://" in given and not Path(given).exists():  # it is not repeated: a password may be in it
        scheme = scheme_of(given)
        begins = f" that begins with {scheme}:" if scheme else ""
        raise InputError(f"expected store:URL or broker:URL after --against, got a URL{begins}")
    return read_baseline(given, folder, like=now, told=tell)


def is_announced(given: str) -> bool:
    """Tell whether a person means what services have announced; without a URL it is where the settings say."""
    return given.startswith(("store:", "broker:"))


def names_revision(given: str) -> bool:
    """Tell whether what a person compares with can be nothing but a revision of git."""
    return not is_announced(given) and "://" not in given and not is_path(given)


def _around(folder: Path) -> Path:
    """Return the folder that a folder is in, as seen from here: that of `.` is `..`."""
    return folder / ".." if folder.name in {"", ".."} else folder.parent


def tell(text: str) -> None:
    """Tell what a person should know beside the result."""
    click.echo(visible(text), err=True)


def _chosen(states: Sequence[Contracts], workflows: Sequence[str], folder: Path) -> Iterator[Contracts]:
    now, *baselines = states
    if not now.steps:
        hint = "".join(f", while {each.name} has some: is it the right folder?" for each in baselines[:1] if each.steps)
        raise InputError(f"expected <workflow>/<step>/step.json in the contracts folder, got none{hint}", file=folder)
    known = sorted({workflow for state in states for workflow in state.workflows})
    for name in workflows:
        if name not in known:
            raise InputError(f"expected a workflow, one of {', '.join(known)}, got {name!r}")
    for state in states:
        yield state.only(workflows) if workflows else state

"""What services have announced, as a state of a contracts folder that others are compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from stamp.cli.contracts.place import directories
from stamp.cli.service import NONE
from stamp.errors import InputError
from stamp.ripple import Contracts
from stamp.ripple.contracts import contracts_of
from stamp.runtime.directories import Directories
from stamp.workflow.announced import announced, contract_files

__all__ = ["read_announced"]


def read_announced(
    given: str, *, like: Contracts, workflows: Sequence[str] = (), told: Callable[[str], object]
) -> Contracts:
    """Return what is announced at the place that a person means by `store:URL` or `broker:URL`; without a URL it is the one that is set.

    Others may use the place too, so it is about the workflows of the present contracts, or those that are named.

    Args:
        given: what the person said.
        like: the present contracts; what did not change is not read again.
        workflows: those that are asked about.
        told: is called with what a person should know.

    Raises:
        InputError: there is no such place, nothing is announced there, or the contract of a step cannot be used.
        DeliveryError: or StoreError: the place cannot be used.
    """
    kind, _, url = given.partition(":")
    with directories(url or None, None) if kind == "store" else directories(NONE, url or None) as place:
        found = {workflow: _files(place, workflow, told) for workflow in workflows or like.workflows}
    name = f"{kind}:{place.address}"
    texts = {file: text for files in found.values() for file, text in files.items()}
    if not texts:
        raise InputError(
            f"expected contracts that services have announced, got none in {place.address}: workers and publishers announce "
            "theirs when they start, and `stamp contracts push` those of a folder"
        )
    for workflow in (workflow for workflow, files in found.items() if not files):
        told(f"{name} has no contracts of {workflow}: all of it counts as new")
    return contracts_of(texts, name=name, path=lambda file: Path(f"{kind}:", file), like=like)


def _files(place: Directories, workflow: str, told: Callable[[str], object]) -> dict[str, bytes]:
    found = announced({key: each.text for key, each in place.read(workflow).items()}, workflow)
    for fault in found.faults:
        told(f"{fault.key} in {place.address} is passed over: {fault.why}")
    for step, why in found.broken.items():
        raise InputError(
            f"expected a contract of {step} that can be used, got one in {place.address} that cannot: {why}. Start a worker of the step, "
            "or announce it again with `stamp contracts push`",
            path=workflow,
        )
    return contract_files(found, workflow)

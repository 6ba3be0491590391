"""What the steps of a worker refer to and nobody provides so far, be it in its contracts folder or among what services have announced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stamp.errors import DeliveryError, StoreError, UnresolvedError
from stamp.runtime.directories import BrokerDirectories, Directories, StoreDirectories
from stamp.runtime.transport import Transport
from stamp.store.store import Store
from stamp.workflow.announced import announced
from stamp.workflow.contract import StepContract
from stamp.workflow.workflow import Workflow

__all__ = ["unresolved"]


def unresolved(workflow: Workflow, broker: Transport | None, store: Store | None) -> Sequence[UnresolvedError]:
    """Return what nobody provides so far; nothing while a directory cannot be read, which may have it.

    Raises:
        ContractError: the contracts folder is not in order.
    """
    if not workflow.unresolved():
        return ()
    places: list[Directories] = [] if broker is None else [BrokerDirectories(broker)]
    if store is not None:
        places.append(StoreDirectories(store, workflow.clock))
    contracts: dict[str, StepContract] = {}
    try:
        for place in places:
            contracts |= _announced(place, workflow.name)
    except (DeliveryError, StoreError):
        return ()
    return workflow.unresolved(contracts)


def _announced(place: Directories, workflow: str) -> Mapping[str, StepContract]:
    found = announced({key: each.text for key, each in place.read(workflow).items()}, workflow)
    return {name: step.contract(workflow) for name, step in found.steps.items() if name not in found.broken}

"""The directories of workflows, wherever they are kept: to look into, to add to, and to take a listener out.

Services whose events go through a store keep them there, the others at their broker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple, Protocol, Self

from stamp.errors import InputError
from stamp.runtime.topology import StepQueue, Topology
from stamp.runtime.transport import Transport
from stamp.store import directory, removal
from stamp.store.store import Store
from stamp.workflow.announced import withdrawal
from stamp.workflow.announcement import listeners
from stamp.workflow.names import is_workflow_name

__all__ = ["BrokerDirectories", "Directories", "Kept", "StoreDirectories"]


class Kept(NamedTuple):
    """A document, and when it was last announced, in microseconds since 1970 UTC; None where its place does not know."""

    text: str
    announced_at: int | None = None


class Directories(Protocol):
    """A place with directories of workflows; a context manager, which closes what it was opened with."""

    @property
    def address(self) -> str:
        """Where it is, without a password: for messages."""

    def workflows(self) -> Sequence[str] | None:
        """Return the workflows that have documents here; None where the place does not tell.

        Raises:
            DeliveryError: or StoreError: the place cannot be used.
        """

    def read(self, workflow: str) -> Mapping[str, Kept]:
        """Return the documents of a workflow by their keys.

        Raises:
            DeliveryError: or StoreError: as for `workflows`.
        """

    def write(self, workflow: str, documents: Mapping[str, str]) -> None:
        """Keep documents, each in place of the earlier one of its key.

        Raises:
            DeliveryError: or StoreError: as for `workflows`.
        """

    def remove(self, workflow: str, step: str, *, discard: bool) -> int:
        """Take a step out whose service is gone: its contract and its queue, and return how many messages went with that.

        A step that is not there is no error.

        Raises:
            InputError: or DeliveryError: somebody works on its messages, or some wait and `discard` is not set.
            DeliveryError: or StoreError: as for `workflows`.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class StoreDirectories:
    """Those of a store, which is closed at the end; `clock` gives microseconds since 1970 UTC."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock
        self.address = store.url

    def workflows(self) -> Sequence[str]:
        """Return the workflows that have documents in the store; what is no name of one is left out."""
        with self._store.read() as connection:
            return [name for name in directory.workflows(connection) if is_workflow_name(name)]

    def read(self, workflow: str) -> Mapping[str, Kept]:
        """Return the documents of a workflow."""
        with self._store.read() as connection:
            return {key: Kept(*each) for key, each in directory.read(connection, workflow).items()}

    def write(self, workflow: str, documents: Mapping[str, str]) -> None:
        """Keep documents."""
        with self._store.begin() as tx:
            directory.write(tx, workflow, documents, now=self._clock())

    def remove(self, workflow: str, step: str, *, discard: bool) -> int:
        """Note that a step is gone; what waits for it counts as done."""
        consumer, now = f"{workflow}.{step}", self._clock()
        with self._store.begin() as tx:
            found = removal.left(tx, consumer, now=now)
            if found.at_work:
                raise InputError(
                    f"somebody works on {found.at_work:,} messages of {consumer} now: stop its workers first"
                )
            count = found.waiting + found.unsent
            if count and not discard:
                raise InputError(f"{count:,} messages wait for {consumer} in {self.address}: {TO_DISCARD}")
            if count or _is_known(step, directory.read(tx, workflow)):
                directory.write(tx, workflow, withdrawal(step), now=now)
                removal.discard(tx, consumer, now=now)
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._store.close()


TO_DISCARD = "have a worker of the step do them, or give them up with --discard"


class BrokerDirectories:
    """Those of a broker."""

    def __init__(self, broker: Transport) -> None:
        self._broker = broker
        self.address = broker.address

    def workflows(self) -> None:
        """Tell nothing: brokers do not say which directories they have."""
        return

    def read(self, workflow: str) -> Mapping[str, Kept]:
        """Return the documents of a workflow."""
        with closing(self._broker.directory(workflow)) as found:
            return {key: Kept(text) for key, text in found.read().items()}

    def write(self, workflow: str, documents: Mapping[str, str]) -> None:
        """Keep documents."""
        with closing(self._broker.directory(workflow)) as found:
            found.write(documents)

    def remove(self, workflow: str, step: str, *, discard: bool) -> int:
        """Delete the queue of a step, then note that the step is gone: what is sent in between is refused, not lost."""
        with closing(self._broker.directory(workflow)) as found:
            documents = found.read()
            queue = StepQueue(f"{workflow}.{step}", step, listeners(documents).get(step, ()))
            count = self._broker.remove(Topology(workflow, (queue,)), queue.name, discard=discard)
            if count or _is_known(step, documents):
                found.write(withdrawal(step))
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Do nothing: each look into a directory has a connection of its own."""


def _is_known(step: str, documents: Mapping[str, object]) -> bool:
    """Tell whether there is anything to withdraw: a name that is misspelt must leave no documents."""
    return any(key in documents for key in withdrawal(step))

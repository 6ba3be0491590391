"""Where a command finds dead letters, and which: in a store, or in the dead letter queues of a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from stamp.cli.chosen import identified
from stamp.cli.render.console import tell
from stamp.cli.service import open_broker, open_store, store_option, store_url
from stamp.errors import InputError
from stamp.runtime.directories import BrokerDirectories, Directories, StoreDirectories
from stamp.runtime.graveyard import Graveyard, HasGraveyard, StoreGraveyard, Wanted
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Transport
from stamp.workflow.contract import read_contracts
from stamp.workflow.settings import contracts_folder
from stamp.workflow.workflow import system_clock

__all__ = ["Asked", "asked", "place_options", "tell_missing", "tell_unknown", "wanted_options"]

F = TypeVar("F", bound=Callable[..., Any])


class Asked(NamedTuple):
    """What a person wants to see, and `open` for where it is, as often as that is looked into; `announced` opens the directories there."""

    wanted: Wanted
    open: Callable[[], Graveyard]
    announced: Callable[[], Directories]


def place_options(function: F) -> F:
    """Add what says where to look."""
    broker = click.option(
        "--broker",
        metavar="URL",
        help="Look into the dead letter queues of a broker instead: of workers without a store, or filled by RabbitMQ itself.",
    )
    schemas = click.option(
        "--schemas",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="The contracts folder: it says which queues a broker has, and how to read payloads.  "
        "[default: ./schemas, or what the settings say]",
    )
    return store_option(broker(schemas(function)))


def wanted_options(function: F) -> F:
    """Add what says which dead letters are meant."""
    queue = click.option(
        "--queue",
        "--step",
        "queues",
        metavar="NAME",
        multiple=True,
        help="Only of this queue, such as ticket.billing, or step, billing. Several if need be.",
    )
    reason = click.option("--reason", metavar="CODE", help="Only those that are dead for this reason.")
    run = click.option("--workflow-id", metavar="ID", help="Only those of this run.")
    return queue(reason(run(function)))


def asked(
    *ids: str,
    queues: tuple[str, ...],
    reason: str | None,
    workflow_id: str | None,
    store: str | None,
    broker: str | None,
    schemas: Path | None,
) -> Asked:
    """Return what the options say: to look into the broker if one is given, else into the store; if no store is wanted, into the broker that is set.

    Raises:
        InputError: there is no place to look into, nobody knows its queues, or one of `ids` is none.
    """
    wanted = Wanted(queues=queues, reason=reason, workflow_id=workflow_id, ids=identified(ids))
    if broker is None and store_url(store) is not None:
        return Asked(
            wanted,
            lambda: StoreGraveyard(open_store(store, create=False), system_clock),
            lambda: StoreDirectories(open_store(store, create=False), system_clock),
        )
    carrier = open_broker(broker)
    if carrier is None:
        raise InputError("expected a store or a broker to look into, got neither")
    return Asked(wanted, _broker(carrier, wanted, schemas or contracts_folder()), lambda: BrokerDirectories(carrier))


def _broker(carrier: Transport, wanted: Wanted, schemas: Path) -> Callable[[], Graveyard]:
    if not isinstance(carrier, HasGraveyard):
        text = f"{carrier.address} does not let us look into its dead letter queues: use its own tools for <queue>.dead"
        raise InputError(text, path="--broker")
    named = [each for each in wanted.queues if "." in each]
    queues = [*named, *(each for each in _contracted(schemas) if each not in named and wanted.takes_queue(each))]
    if not queues:
        text = "expected names of queues, such as ticket.billing, or the contracts of their steps: a broker does not tell its queues"
        raise InputError(f"{text}; got {', '.join(wanted.queues) or 'none'}", path="--queue")
    graveyard = carrier.graveyard
    return lambda: graveyard(queues)


def _contracted(folder: Path) -> Iterator[str]:
    """Yield the queues of all steps that have contracts in a folder."""
    if folder.is_dir():
        for (workflow, step), contract in read_contracts(folder).items():
            yield from (queue.name for queue in Topology.of(workflow, {step: contract.on}).queues)


def tell_missing(graveyard: Graveyard, wanted: Wanted) -> bool:
    """Tell which of the queues that somebody named are not there, and whether there are such."""
    missing = [queue for queue in graveyard.missing if queue in wanted.queues]
    for queue in missing:
        tell(f"{graveyard.address} has no dead letter queue for {queue}: is it misspelt, or did no worker run yet?")
    return bool(missing)


def tell_unknown(graveyard: Graveyard, ids: Sequence[str]) -> bool:
    """Tell which ids name nothing, and whether there are such."""
    for digits in ids:
        tell(f"no such dead letter in {graveyard.address}: {digits}")
    return bool(ids)

"""What can be wrong with a RabbitMQ, as far as AMQP shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from statistics import median
from time import perf_counter
from typing import Final

import amqp

from stamp.errors import PERMISSIONS, DeliveryError, UnroutableError
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem, release, warning
from stamp.runtime.topology import Topology
from stamp.runtime.transports.rabbitmq.address import Address
from stamp.runtime.transports.rabbitmq.confirms import PERSISTENT, Confirms
from stamp.runtime.transports.rabbitmq.layout import declare, queues_of
from stamp.runtime.transports.rabbitmq.link import Link

__all__ = ["examine"]

OLDEST: Final = (3, 10)
"""The release since which what dies in a quorum queue is not lost on the way to its dead letters."""

EVENT: Final = "Probe"
UNHEARD: Final = "Unheard"

PATIENCE: Final = 10.0
"""How long to wait for a confirm, in seconds."""
ROUNDS: Final = 15
SLOW: Final = 0.1
"""How long a confirm may take before somebody should look at the disks, in seconds."""
LONG: Final = 60.0
"""How long a heartbeat may be, in seconds."""
FRAME: Final = 2**16
"""Bytes that a frame should have room for: headers of any sender, and what is written on a dead letter."""


def examine(url: str, *, name: str, largest: int) -> Iterator[Diagnosis]:
    """Look at a broker: `name` is what probes may declare, and how its queues begin; `largest` is the size of an event in bytes."""
    addresses = Address.parse(url)
    began = perf_counter()
    try:
        link = Link(addresses)
    except DeliveryError as error:
        yield problem("connection", str(error), "")
        return
    yield ok("connection", f"made in {(perf_counter() - began) * 1e3:.0f} ms")
    topology = Topology.of(name, {"probe": [EVENT]})
    with closing(link):
        try:
            yield from _server(link)
            yield from _trials(link, topology, largest)
        except DeliveryError as error:
            yield problem("connection", f"lost: {error}", "the log of the broker says why")
        finally:
            left = _left_over(addresses, topology)
    if left:
        yield warning("probes", f"{left} could not be removed", "remove it")


def _server(link: Link) -> Iterator[Diagnosis]:
    product, number = str(link.server.get("product", "?")), str(link.server.get("version", "?"))
    is_known = product == "RabbitMQ"
    yield judged(
        "version",
        f"{product} {number}",
        {State.PROBLEM: is_known and release(number) < OLDEST, State.WARNING: not is_known},
        "use RabbitMQ 3.10 or later: what dies in its quorum queues is not lost on the way to the dead letters",
    )
    yield judged(
        "heartbeat",
        f"every {link.heartbeat:g} s" if link.heartbeat else "none",
        {State.PROBLEM: not link.heartbeat, State.WARNING: link.heartbeat > LONG},
        "set `heartbeat` of the broker to 60 or less, and not to 0: nobody would notice a connection that is half open",
    )
    yield judged(
        "headers",
        f"frames of up to {link.largest_frame:,} bytes",
        {State.PROBLEM: link.largest_frame < FRAME},
        "set `frame_max` of the broker to 131072, the default: all headers of a message have to fit into one frame",
    )


def _left_over(addresses: Sequence[Address], topology: Topology) -> str:
    """Remove what was declared, over a connection of its own because the other one may be gone; return what is left, and why."""
    try:
        with closing(Link(addresses)) as link, link.guard():
            for queue in topology.queues:
                for each in queues_of(queue):
                    link.channel.queue_delete(each)
            link.channel.exchange_delete(topology.exchange)
    except DeliveryError as error:
        return f"what is called {topology.exchange}: {error}"
    return ""


def _trials(link: Link, topology: Topology, largest: int) -> Iterator[Diagnosis]:
    refused = _declared(link, topology)
    if refused is not None:
        yield refused
        return
    yield ok("queues", "quorum queues with a delivery limit and dead letters")
    trial = _Trial(link, topology)
    try:
        yield trial.confirms()
        yield trial.returns()
        yield trial.takes(largest)
    except _SilenceError:
        yield trial.unconfirmed()
    else:
        yield ok("alarms", "publishers are not blocked")


def _declared(link: Link, topology: Topology) -> Diagnosis | None:
    """Declare what a workflow would, and return what is in the way."""
    with link.guard():
        try:
            declare(link.open_channel(), topology)
        except amqp.AccessRefused as error:
            names = topology.exchange.partition(".doctor-")[0]
            text = f"{PERMISSIONS}, here for {names}; where only names of a workflow are allowed, give that"
            return problem("permissions", str(error.reply_text), text)
        except (amqp.ChannelError, DeliveryError) as error:
            return problem("queues", str(error), "a policy or a limit of the virtual host may be in the way")
    return None


class _SilenceError(Exception):
    """The broker does not confirm."""


class _Trial:
    """Publishes messages, and looks at what the broker says."""

    def __init__(self, link: Link, topology: Topology) -> None:
        self._link, self._exchange = link, topology.exchange
        with link.guard():
            self._confirms = Confirms(link.open_channel())

    def confirms(self) -> Diagnosis:
        """Return how long a confirm takes."""
        times = []
        for _ in range(ROUNDS):
            began = perf_counter()
            refused = self._publish(EVENT, b"probe")
            times.append(perf_counter() - began)
            if refused is not None:
                return problem("confirms", str(refused), "a policy of the virtual host may be in the way")
        time = median(times)
        advice = "look at the disks of the broker: every group of events waits for them"
        return judged("confirms", f"one takes {time * 1e3:.1f} ms", {State.WARNING: time > SLOW}, advice)

    def returns(self) -> Diagnosis:
        """Return whether an event that no queue takes comes back."""
        if isinstance(self._publish(UNHEARD, b"probe"), UnroutableError):
            return ok("unroutable events", "are returned")
        advice = "remove the alternate exchange (a policy?): an event whose queue is missing would vanish there"
        return problem("unroutable events", "are taken", advice)

    def takes(self, largest: int) -> Diagnosis:
        """Return whether events may be as large as the workflow allows."""
        try:
            refused = self._publish(EVENT, bytes(largest))
        except DeliveryError as error:
            refused = error
        if refused is None:
            return ok("large events", f"{largest:,} bytes are taken")
        return problem("large events", f"{largest:,} bytes: {refused}", "raise `max_message_size` of the broker")

    def unconfirmed(self) -> Diagnosis:
        """Return why there was no confirm."""
        if self._link.trouble:
            advice = "free memory or disk space of the broker: `rabbitmq-diagnostics alarms` says which"
            return problem("alarms", "the broker blocks publishers", advice)
        advice = "see whether most nodes of the cluster are up: a quorum queue needs them"
        return problem("confirms", f"none within {PATIENCE:g} s", advice)

    def _publish(self, key: str, body: bytes) -> DeliveryError | None:
        """Publish a message, and return what the broker has against it.

        Raises:
            _SilenceError: it does not answer.
        """
        message = amqp.Message(body, delivery_mode=PERSISTENT)
        with self._link.guard():
            self._confirms.publish(self._confirms.open(), message, self._exchange, key, mandatory=True)
            answered = self._link.wait(lambda: not self._confirms.in_flight or bool(self._link.trouble), PATIENCE)
            if not answered or self._link.trouble:
                raise _SilenceError
        [verdict] = self._confirms.take()
        return verdict

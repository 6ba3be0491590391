"""Where a Kafka cluster is, and how its topics are used: what stands in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from stamp.errors import InputError
from stamp.url import Secrets, Url

__all__ = ["Address"]

EXAMPLE: Final = "kafka://user:password@host1:9092,host2:9092?replication=3"
PORT: Final = 9092

NUMBERS: Final = {
    "replication": (3, 1, 100),
    "insync": (None, 1, 100),
    "partitions": (12, 1, 10_000),
    "retention": (30, 1, 36_500),
}
"""Options that are whole numbers: what they are when left out, the least, the most."""
SECONDS: Final = {"session": (30.0, 0.1, 1800.0), "timeout": (10.0, 0.1, 600.0)}
LEAST_TIMEOUT: Final = 2_000  # milliseconds; librdkafka lets a broker wait for messages meanwhile
ANSWERS: Final = {"yes": True, "no": False}
OPTIONS: Final = (*NUMBERS, *SECONDS, "create", "check", "group", "sasl")

RESERVED: Final = (
    ("acks", "enable.idempotence", "enable.gapless.guarantee", "transactional.id"),  # a confirm would mean less
    ("enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset", "group.id"),  # a message would be lost
    ("bootstrap.servers", "metadata.broker.list", "session.timeout.ms", "heartbeat.interval.ms"),  # said elsewhere
    ("allow.auto.create.topics", "plugin.library.paths", "partition.assignment.strategy", "logger", "error_cb"),
)
OURS: Final = frozenset(name for names in RESERVED for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A cluster, and options.

    `replication`, `partitions` and `retention` (days) are those of topics that are made here, `insync` how many replicas must have a message before
    it is confirmed. `create`: whether missing topics are made; `check`: whether it is looked up that topics keep what they confirm. `group`: how
    the names of consumer groups begin. After `session` seconds a consumer that was not heard of counts as dead; an answer may
    take `timeout` seconds. `settings`: the rest, in librdkafka's words, with the password.
    """

    servers: tuple[str, ...]
    is_encrypted: bool
    settings: Mapping[str, str] = field(repr=False)
    replication: int
    insync: int
    partitions: int
    retention: int
    session: float
    timeout: float
    create: bool
    check: bool
    group: str
    secrets: Secrets = field(repr=False, compare=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a `kafka://` or `kafkas://` URL; with several servers there are commas between them.

        Raises:
            InputError: it is none, or has an option that is not known. The text does not show the URL: there may be a password in it.
        """
        read = Url.parse(url, what="a Kafka cluster", expected=f"a URL such as {EXAMPLE}")
        if read.scheme not in {"kafka", "kafkas"} or read.path.strip("/"):
            raise read.refusal
        if any(not each.strip() or each.strip().startswith(":") for each in read.hosts.split(",")) and read.hosts:
            raise read.refusal
        numbers = {name: read.number(name, least, most) or default for name, (default, least, most) in NUMBERS.items()}
        replication = numbers["replication"] or 1
        return cls(
            servers=tuple(_written(*each) for each in read.servers("localhost", PORT)),
            is_encrypted=read.scheme == "kafkas",
            settings=_settings(read),
            replication=replication,
            insync=numbers["insync"] or max(1, replication - 1),
            partitions=numbers["partitions"] or 1,
            retention=numbers["retention"] or 1,
            session=_seconds(read, "session"),
            timeout=_seconds(read, "timeout"),
            create=_answer(read, "create"),
            check=_answer(read, "check"),
            group=read.options.get("group", "stamp"),
            secrets=read.secrets,
        )

    def __str__(self) -> str:
        return f"kafka{'s' if self.is_encrypted else ''}://{','.join(self.servers)}"

    def client(self) -> dict[str, Any]:
        """Return what every client of librdkafka is told."""
        return {
            "bootstrap.servers": ",".join(self.servers),
            "client.id": "stamp",
            "allow.auto.create.topics": False,  # it would have the broker's properties, not ours
            "reconnect.backoff.max.ms": 1_000,
            "socket.timeout.ms": max(LEAST_TIMEOUT, round(self.timeout * 1000)),
            **self.settings,
        }


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _settings(url: Url) -> dict[str, str]:
    """Return what goes to librdkafka as it is: options with a dot in their names, and who we are."""
    settings = {name: value for name, value in url.options.items() if "." in name}
    url.only(*OPTIONS, *settings, also=", and librdkafka's, which have a dot")
    taken = sorted(settings.keys() & OURS)
    if taken:
        raise InputError(f"{', '.join(taken)} cannot be set: what stamp promises of Kafka depends on it")
    if url.user is not None:
        settings["sasl.username"], settings["sasl.password"] = url.user, url.password or ""
    if url.user is not None or "sasl" in url.options:
        settings["sasl.mechanism"] = url.options.get("sasl", "PLAIN")
    protocol = ("SASL_" if "sasl.mechanism" in settings else "") + ("SSL" if url.scheme == "kafkas" else "PLAINTEXT")
    return {"security.protocol": protocol, **settings}


def _seconds(url: Url, name: str) -> float:
    default, least, most = SECONDS[name]
    return url.seconds(name, least, most) or default


def _answer(url: Url, name: str) -> bool:
    text = url.options.get(name, "yes")
    if text not in ANSWERS:
        raise InputError(f"expected yes or no for {name}{url.got(name)}")
    return ANSWERS[text]

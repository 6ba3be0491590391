"""Where a Kafka cluster is, and how its topics are used: what stands in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from stamp.errors import InputError

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

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a `kafka://` or `kafkas://` URL; with several servers there are commas between them.

        Raises:
            InputError: it is none, or has an option that is not known. The text does not show the URL: there may be a password in it.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _refusal() from None
        if parts.scheme not in {"kafka", "kafkas"} or parts.path.strip("/") or parts.fragment:
            raise _refusal()
        login, _, hosts = parts.netloc.rpartition("@")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        numbers = {name: _number(name, options) for name in NUMBERS}
        replication = numbers["replication"] or 1
        return cls(
            servers=tuple(_server(each) for each in (hosts or "localhost").split(",")),
            is_encrypted=parts.scheme == "kafkas",
            settings=_settings(options, login, is_encrypted=parts.scheme == "kafkas"),
            replication=replication,
            insync=numbers["insync"] or max(1, replication - 1),
            partitions=numbers["partitions"] or 1,
            retention=numbers["retention"] or 1,
            session=_seconds("session", options),
            timeout=_seconds("timeout", options),
            create=_answer("create", options),
            check=_answer("check", options),
            group=options.get("group", "stamp"),
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


def _refusal() -> InputError:
    return InputError(f"expected a URL such as {EXAMPLE}; write special characters of a password as %XX")


def _server(text: str) -> str:
    """Return host and port."""
    try:
        parts = urlsplit(f"//{text.strip()}")
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        raise _refusal() from None
    if not host:
        raise _refusal()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _settings(options: Mapping[str, str], login: str, *, is_encrypted: bool) -> dict[str, str]:
    """Return what goes to librdkafka as it is: options with a dot in their names, and who we are."""
    settings = {name: value for name, value in options.items() if "." in name}
    unknown = sorted(options.keys() - settings.keys() - set(OPTIONS))
    if unknown:
        known = f"{', '.join(OPTIONS)}, and librdkafka's, which have a dot"
        raise InputError(f"the URL of a Kafka cluster takes the options {known}, not {', '.join(unknown)}")
    taken = sorted(settings.keys() & OURS)
    if taken:
        raise InputError(f"{', '.join(taken)} cannot be set: what stamp promises of Kafka depends on it")
    user, _, password = login.partition(":")
    if login:
        settings["sasl.username"], settings["sasl.password"] = unquote(user), unquote(password)
    if login or "sasl" in options:
        settings["sasl.mechanism"] = options.get("sasl", "PLAIN")
    protocol = ("SASL_" if "sasl.mechanism" in settings else "") + ("SSL" if is_encrypted else "PLAINTEXT")
    return {"security.protocol": protocol, **settings}


def _number(name: str, options: Mapping[str, str]) -> int | None:
    default, least, most = NUMBERS[name]
    text = options.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise InputError(f"expected a number from {least} to {most} for {name}, got {text!r}")
    return int(text)


def _seconds(name: str, options: Mapping[str, str]) -> float:
    default, least, most = SECONDS[name]
    text = options.get(name, str(default))
    try:
        seconds = float(text)
    except ValueError:
        raise InputError(f"expected a number of seconds for {name}, got {text!r}") from None
    if not least <= seconds <= most:
        raise InputError(f"expected between {least:g} and {most:g} seconds for {name}, got {text}")
    return seconds


def _answer(name: str, options: Mapping[str, str]) -> bool:
    text = options.get(name, "yes")
    if text not in ANSWERS:
        raise InputError(f"expected yes or no for {name}, got {text!r}")
    return ANSWERS[text]

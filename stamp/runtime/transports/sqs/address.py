"""Where SQS is, who we are, and how its queues are used: what stands in a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from stamp.errors import InputError
from stamp.url import Secrets, Url

__all__ = ["Address"]

EXAMPLE: Final = "sqs://eu-central-1?visibility=30 or sqs://key:secret@region"
SECONDS: Final = {"visibility": (30, 1, 43_200), "timeout": (10, 1, 600)}
"""Options that are whole seconds: what they are when left out, the least, the most."""
OPTIONS: Final = (*SECONDS, "endpoint", "prefix", "profile")

WAIT: Final = 5
"""How many seconds SQS waits for a message before it answers that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A region, or what the environment says if there is none.

    `endpoint` is another address than Amazon's. After `visibility` seconds in which nobody said that he is still at work on a message it
    comes again. An answer may take `timeout` seconds. `prefix` goes before the name of every queue. `profile` is one of AWS' configuration files.
    """

    region: str | None
    endpoint: str | None
    key: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    profile: str | None
    prefix: str
    visibility: int
    timeout: int
    secrets: Secrets = field(repr=False, compare=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an `sqs://` URL.

        Raises:
            InputError: it is none, or has an option that is not known. The text does not show the URL: there may be a secret in it.
        """
        read = Url.parse(url, what="SQS", expected=f"a URL such as {EXAMPLE}")
        has_port = ":" in read.hosts or "[" in read.hosts
        if read.scheme != "sqs" or has_port or read.path.strip("/") or bool(read.user) != bool(read.password):
            raise read.refusal
        region, _ = read.server("", 0) if read.hosts else ("", 0)
        read.only(*OPTIONS)
        return cls(
            region=region or None,
            endpoint=_endpoint(read.options.get("endpoint")),
            key=read.user or None,
            secret=read.password or None,
            profile=read.options.get("profile"),
            prefix=read.options.get("prefix", ""),
            visibility=_seconds(read, "visibility"),
            timeout=_seconds(read, "timeout"),
            secrets=Secrets([read.user, read.password]),
        )

    def __str__(self) -> str:
        place = f"sqs://{self.region or ''}"
        return place if self.endpoint is None else f"{place}?endpoint={self.endpoint}"

    def client(self, connections: int) -> Any:
        """Return a client for as many threads as it has `connections`.

        Raises:
            InputError: there is no such profile, or no region.
        """
        config = Config(
            connect_timeout=self.timeout,
            read_timeout=self.timeout + WAIT,
            max_pool_connections=connections,
            retries={"mode": "standard", "total_max_attempts": 2},  # who calls tries again
        )
        try:
            session = boto3.Session(profile_name=self.profile, region_name=self.region)
            return session.client(
                "sqs",
                endpoint_url=self.endpoint,
                aws_access_key_id=self.key,
                aws_secret_access_key=self.secret,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            said = self.secrets.masked(error)
            text = f"{self}: {said}; write the region into the URL, as in {EXAMPLE}"
            raise InputError(text) from self.secrets.cause(error)


def _endpoint(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or any(letter in text for letter in "@?# "):
        raise InputError(
            "expected an address such as http://127.0.0.1:4566 for endpoint; who we are stands before the region"
        )
    return text


def _seconds(url: Url, name: str) -> int:
    default, least, most = SECONDS[name]
    return url.number(name, least, most, unit="whole seconds") or default

"""Where SQS is, who we are, and how its queues are used: what stands in a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from stamp.errors import InputError

__all__ = ["Address"]

EXAMPLE: Final = "sqs://eu-central-1?visibility=30"
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

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an `sqs://` URL.

        Raises:
            InputError: it is none, or has an option that is not known. The text does not show the URL: there may be a secret in it.
        """
        try:
            parts = urlsplit(url)
            is_one = parts.scheme == "sqs" and parts.port is None and not parts.path.strip("/") and not parts.fragment
        except ValueError:
            is_one, parts = False, SplitResult("", "", "", "", "")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not is_one or bool(parts.username) != bool(parts.password):
            raise InputError(
                f"expected a URL such as {EXAMPLE}, or sqs://key:secret@region; write '/' in a secret as %2F, '+' as %2B"
            )
        unknown = sorted(options.keys() - set(OPTIONS))
        if unknown:
            raise InputError(f"the URL of SQS takes the options {', '.join(OPTIONS)}, not {', '.join(unknown)}")
        return cls(
            region=parts.hostname or None,
            endpoint=_endpoint(options.get("endpoint")),
            key=unquote(parts.username) if parts.username else None,
            secret=unquote(parts.password) if parts.password else None,
            profile=options.get("profile"),
            prefix=options.get("prefix", ""),
            visibility=_seconds("visibility", options.get("visibility")),
            timeout=_seconds("timeout", options.get("timeout")),
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
            raise InputError(f"{self}: {error}; write the region into the URL, as in {EXAMPLE}") from error


def _endpoint(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_one = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None and not parts.query
        )
    except ValueError:
        is_one = False
    if not is_one:
        raise InputError(
            "expected an address such as http://127.0.0.1:4566 for endpoint; who we are stands before the region"
        )
    return text


def _seconds(name: str, text: str | None) -> int:
    default, least, most = SECONDS[name]
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise InputError(f"expected between {least} and {most} whole seconds for {name}, got {text!r}")
    return int(text)

"""URLs of brokers and stores: read strictly, and never repeated where a password may be.

A password whose special characters are not escaped ends before its end, and the rest of it stands where a host, a path or an option should.
So nothing of a URL that is in doubt is shown, and what client libraries say is looked through for what is secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, Self
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from stamp.errors import InputError

__all__ = ["ESCAPES", "NO_ESCAPE", "PORTS", "Secrets", "Url", "is_secret", "scheme_of", "whole"]

ESCAPES: Final = (
    "write special characters of user and password as %XX: "
    "'/' is %2F, '?' is %3F, '#' is %23, '@' is %40, ';' is %3B, '&' is %26, '%' is %25"
)
MASK: Final = "***"

SECRET: Final = re.compile(r"pass|pwd|secret|token|key|credential|auth", re.IGNORECASE)
"""Options whose values are not shown, whoever understands them."""
PATHS: Final = re.compile(r"file$|location$", re.IGNORECASE)
"""Options of that kind that only say where a secret is."""

SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,39}")
NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
DOUBTFUL: Final = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
"""Characters that no URL has: some parsers drop them, others pass them on."""

SHORTEST: Final = 3
"""Letters of a secret that is looked for in what others say. A shorter one would be found everywhere, and its places would tell it."""
LONGEST: Final = 40
"""Letters of a value that an error repeats."""
DIGITS: Final = 18
PORTS: Final = (1, 65_535)


class Secrets:
    """What must not be seen in any text."""

    def __init__(self, values: Iterable[str | None] = ()) -> None:
        known = {
            form
            for value in values
            if value
            for form in (value, quote(value, safe=""), quote(value), quote_plus(value), repr(value)[1:-1])
            if len(form) >= SHORTEST
        }
        longest_first = sorted(known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def masked(self, said: object) -> str:
        """Return a text of somebody else, such as an error of a client library, with every secret in it replaced."""
        text = str(said)
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def cause(self, error: BaseException) -> BaseException | None:
        """Return what an error may be raised from: `error`, or None where it or something behind it tells a secret."""
        seen: list[BaseException] = []
        each: BaseException | None = error
        while each is not None and each not in seen:
            seen.append(each)
            each = each.__cause__ or each.__context__
        return error if all(self._is_free(each) for each in seen) else None

    def _is_free(self, error: BaseException) -> bool:
        return self._pattern is None or not any(map(self._pattern.search, (str(error), repr(error))))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@dataclass(frozen=True, slots=True)
class Url:
    """What stands in a URL. `hosts` and `path` are as written, the rest is decoded; `what` names in messages whose URL it is.

    `option`, `number` and `seconds` refuse what they cannot read; what was given is repeated only if nothing in this URL is secret.
    """

    scheme: str
    user: str | None
    password: str | None = field(repr=False)
    hosts: str
    path: str
    options: Mapping[str, str] = field(repr=False)
    what: str
    expected: str

    @classmethod
    def parse(cls, url: str, *, what: str, expected: str) -> Self:
        """Read a URL.

        Raises:
            InputError: it cannot be read without doubt: an `@` or `#` stands where it may be of a password, an escape is none, an option
                has no value. An option stands there twice.
        """
        scheme, separator, rest = url.partition("://")
        authority, behind = _cut(rest)
        login, at, hosts = authority.rpartition("@")
        path, _, query = behind.partition("?")
        in_doubt = "#" in rest or "@" in login or "@" in behind or DOUBTFUL.search(url) or NO_ESCAPE.search(rest)
        if not separator or not SCHEME.fullmatch(scheme) or in_doubt:
            raise refusal(expected)
        user, colon, password = login.partition(":")
        try:
            return cls(
                scheme=scheme.lower(),
                user=unquote(user, errors="strict") if at else None,
                password=unquote(password, errors="strict") if colon else None,
                hosts=hosts,
                path=path,
                options=_options(query, what, expected),
                what=what,
                expected=expected,
            )
        except UnicodeDecodeError:
            raise refusal(expected) from None

    @property
    def secrets(self) -> Secrets:
        """What is secret in it."""
        hidden = (value for name, value in self.options.items() if is_secret(name))
        return Secrets([self.password, *hidden])

    @property
    def refusal(self) -> InputError:
        """An error that says how such a URL is written, and nothing of this one."""
        return refusal(self.expected)

    def servers(self, default: str, port: int) -> Sequence[tuple[str, int]]:
        """Return the hosts and their ports, with commas between them; `default` and `port` where none is given.

        Raises:
            InputError: something else stands there.
        """
        return [self._server(each.strip(), default, port) for each in self.hosts.split(",")]

    def server(self, default: str, port: int) -> tuple[str, int]:
        """Return the host and its port; `default` and `port` where none is given.

        Raises:
            InputError: something else stands there.
        """
        return self._server(self.hosts, default, port)

    def _server(self, text: str, default: str, port: int) -> tuple[str, int]:
        match = re.fullmatch(r"(\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:,]*))(:(?P<port>[^:]*))?", text)
        if match is None:
            raise self.refusal
        host = (match["six"] or match["host"] or default).lower()
        number = whole(match["port"], *PORTS) if match["port"] else port
        if number is None or not _is_host(host):
            raise self.refusal
        return host, number

    def only(self, *known: str, also: str = "") -> None:
        """Refuse options that are not `known`.

        Raises:
            InputError: there are some.
        """
        unknown = sorted(self.options.keys() - set(known))
        if unknown:
            near = [each for name in unknown for each in get_close_matches(name, known, n=1, cutoff=0.6)]
            meant = f": did you mean {near[0]}?" if near else ""
            named = ", ".join(each[:LONGEST] for each in unknown) if self._is_open() else "what stands there"
            raise InputError(f"the URL of {self.what} takes the options {', '.join(known)}{also}, not {named}{meant}")

    def number(self, name: str, least: int, most: int, *, unit: str = "a number") -> int | None:
        """Return the whole number that an option is, None if it is left out.

        Raises:
            InputError: it is something else, or not from `least` to `most`.
        """
        text = self.options.get(name)
        if text is None:
            return None
        number = whole(text, least, most)
        if number is None:
            raise InputError(f"expected {unit} for {name}, from {least} to {most}{self.got(name)}")
        return number

    def seconds(self, name: str, least: float, most: float) -> float | None:
        """Return the seconds that an option is, None if it is left out.

        Raises:
            InputError: it is no number, or not between `least` and `most`.
        """
        text = self.options.get(name)
        if text is None:
            return None
        try:
            seconds = float(text) if len(text) <= LONGEST else float("nan")
        except ValueError:
            raise InputError(f"expected a number of seconds for {name}{self.got(name)}") from None
        if not least <= seconds <= most:
            raise InputError(f"expected between {least:g} and {most:g} seconds for {name}{self.got(name)}")
        return seconds

    def got(self, name: str) -> str:
        """Return the end of a message, which says what the option `name` is, or nothing if a secret may be in it."""
        return f", got {self.options[name][:LONGEST]!r}" if self._is_open() else ""

    def _is_open(self) -> bool:
        return not self.password and not any(map(is_secret, self.options))


def refusal(expected: str) -> InputError:
    """Return why a URL is not read, which shows nothing of it."""
    return InputError(f"expected {expected}, got a URL that cannot be parsed; {ESCAPES}")


def is_secret(option: str) -> bool:
    """Tell whether the value of an option is not to be shown."""
    return bool(SECRET.search(option)) and not PATHS.search(option)


def scheme_of(url: str) -> str:
    """Return how a URL begins, in small letters; nothing if what stands there is none, and may be anything."""
    scheme, colon, rest = url.partition(":")
    is_one = colon and SCHEME.fullmatch(scheme) and (rest.startswith("//") or "@" not in rest)
    return scheme.lower() if is_one else ""


def whole(text: str, least: int, most: int) -> int | None:
    """Return the number that `text` is; None if it is no whole number in decimal digits, or not from `least` to `most`."""
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        return None
    number = int(text)
    return number if least <= number <= most else None


def _cut(rest: str) -> tuple[str, str]:
    """Return who and where, and what stands behind it."""
    end = next((at for at, letter in enumerate(rest) if letter in "/?"), len(rest))
    return rest[:end], rest[end:]


def _options(query: str, what: str, expected: str) -> Mapping[str, str]:
    options: dict[str, str] = {}
    pairs = [part.partition("=") for part in query.split("&") if part]
    names: Collection[str] = [unquote_plus(name, errors="strict") for name, _, _ in pairs]
    for name, (_, equals, value) in zip(names, pairs, strict=True):
        text = unquote_plus(value, errors="strict")
        if not equals or not name or DOUBTFUL.search(text.replace(" ", "")):
            raise refusal(expected)
        if name in options:
            shown = "" if any(map(is_secret, names)) or not SCHEME.fullmatch(name) else f" {name}"
            raise InputError(f"the URL of {what} has the option{shown} twice: write it once")
        options[name] = text
    return options


def _is_host(text: str) -> bool:
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return not re.search(r"[\s%\\\"'<>^`{|}]", text)

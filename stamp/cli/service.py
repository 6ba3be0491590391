"""Where a command finds the broker and the store: options, then the environment, then the settings of the project."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from stamp.errors import InputError
from stamp.runtime.transport import Transport
from stamp.store.address import address, file_of, is_in_memory
from stamp.store.store import Store
from stamp.workflow.settings import settings, shown

__all__ = [
    "DEFAULT_STORE",
    "NONE",
    "SECONDS",
    "WHOLE",
    "broker_option",
    "broker_url",
    "durable_store_url",
    "flag_option",
    "number_option",
    "open_broker",
    "open_store",
    "store_option",
    "store_url",
]

WHOLE: Final = click.IntRange(1)
SECONDS: Final = click.FloatRange(0, min_open=True)

DEFAULT_STORE: Final = "sqlite:///stamp.db"
"""The embedded default: a file in the current folder, over which all workers on this machine work together."""

NONE: Final = "none"

IN_MEMORY: Final = (
    "expected a store that outlives the process, such as sqlite:///stamp.db or postgresql://user@host/database, got an SQLite URL without a file, "
    "from --store, STAMP_STORE or the settings: has a variable in it no value? 'none' is none at all"
)

LONGEST: Final = 200
"""Letters of a message of click's."""
KINDS: Final = {bool: "a boolean", int: "a number", float: "a number", list: "an array", dict: "a table"}

F = TypeVar("F", bound=Callable[..., Any])


def broker_option(function: F) -> F:
    """Add `--broker`."""
    return click.option(
        "--broker",
        metavar="URL",
        envvar="STAMP_BROKER",
        help="Who carries the events, such as amqp://guest:guest@127.0.0.1// or redis://127.0.0.1.  [env: STAMP_BROKER; default: the store]",
    )(function)


def store_option(function: F) -> F:
    """Add `--store`."""
    return click.option(
        "--store",
        metavar="URL",
        envvar="STAMP_STORE",
        help=f"Inbox and outbox: sqlite:///FILE, postgresql://..., or none.  [env: STAMP_STORE; default: {DEFAULT_STORE}]",
    )(function)


def number_option(kind: click.ParamType[Any], name: str, default: float | None, what: str) -> Callable[[F], F]:
    """Return what adds an option for a number: given, from the environment, or from the settings, under the same name."""
    key = name.replace("-", "_")
    variable = f"STAMP_{key.upper()}"
    said = f"{what}  [env: {variable}; default: {'any time' if default is None else default}]"
    return click.option(
        f"--{name}",
        metavar="N",
        type=kind,
        envvar=variable,
        help=said,
        callback=lambda _context, _parameter, given: _number(key, default, kind) if given is None else given,
    )


def flag_option(name: str, what: str, *, default: bool) -> Callable[[F], F]:
    """Return what adds `--name/--no-name`: given, from the environment, or from the settings, under the same name."""
    key = name.replace("-", "_")
    variable = f"STAMP_{key.upper()}"
    return click.option(
        f"--{name}/--no-{name}",
        default=None,
        envvar=variable,
        help=f"{what}  [env: {variable}; default: {'on' if default else 'off'}]",
        callback=lambda _context, _parameter, given: _flag(key, default=default) if given is None else given,
    )


def _flag(key: str, *, default: bool) -> bool:
    for each in settings():
        if key in each.table:
            found = each.table[key]
            if not isinstance(found, bool):
                raise InputError(f"expected true or false, got {shown(found)}", file=each.file, path=each.path(key))
            return found
    return default


def _number(key: str, default: float | None, kind: click.ParamType[Any]) -> float | None:
    for each in settings():
        if key in each.table:
            found = each.table[key]
            try:
                if isinstance(found, bool) or not isinstance(found, int if kind is WHOLE else int | float):
                    raise InputError(f"expected a number, got {shown(found)}", file=each.file, path=each.path(key))
                number: float = kind.convert(found, None, None)
            except click.BadParameter as error:
                raise InputError(error.message[:LONGEST], file=each.file, path=each.path(key)) from error
            except (
                OverflowError,
                ValueError,
            ):  # more digits than a number can have that may have a fraction, or that click writes
                text = f"expected a smaller number, got {shown(found)}"
                raise InputError(text, file=each.file, path=each.path(key)) from None
            return number
    return default


def broker_url(given: str | None) -> str | None:
    """Return the address of the broker that is `given` or set; None if none is.

    Raises:
        InputError: the settings have something else there.
    """
    url = given or os.environ.get("STAMP_BROKER") or _setting("broker")
    return None if url == NONE else url


def open_broker(given: str | None) -> Transport | None:
    """Return the broker that is `given` or set; None if none is.

    Raises:
        InputError: it is none that stamp knows.
    """
    url = broker_url(given)
    if url is None:
        return None
    from stamp.runtime.brokers import transport  # noqa: PLC0415 - kombu takes long, and only who has a broker needs it

    return transport(url)


def store_url(given: str | None) -> str | None:
    """Return the address of the store that is `given` or set, or the default; None if none is wanted.

    Raises:
        InputError: the settings have something else there.
    """
    url = given or os.environ.get("STAMP_STORE") or _setting("store", _seen_from) or DEFAULT_STORE
    return None if url == NONE else url


def durable_store_url(given: str | None) -> str | None:
    """Return the same, for a command that works with the store: what is in it must be there when the process is not.

    Raises:
        InputError: it is in the memory of a process, or the settings have something else there. StoreError: it is no address of a store.
    """
    url = store_url(given)
    if url is not None and is_in_memory(address(url)):
        raise InputError(IN_MEMORY)
    return url


def _seen_from(folder: Path, url: str) -> str:
    """Return the address of a store in settings that lie in `folder`: a file is meant as seen from there, whoever runs where."""
    if url == NONE:
        return url
    where = address(url)
    file = file_of(where)
    if file is None or file.is_absolute():
        return url
    return where.set(drivername=where.get_backend_name(), database=str(folder / file)).render_as_string(
        hide_password=False
    )


def open_store(given: str | None, *, create: bool = True) -> Store:
    """Return the store that is `given` or set, or the default; without `create` it must be there already.

    Raises:
        InputError: none is wanted, or it is in memory. StoreError: it cannot be opened.
    """
    url = durable_store_url(given)
    if url is None:
        raise InputError("expected a store, got none", path="--store")
    return Store.open(url, create=create)


def _setting(key: str, meant: Callable[[Path, str], str] = lambda _, url: url) -> str | None:
    """Return a URL of the settings, as it is `meant` in the folder in which they lie."""
    for each in settings():
        if key in each.table:
            url = each.table[key]
            if not isinstance(url, str) or not url:
                raise InputError(f"expected a URL, got {_kind(url)}", file=each.file, path=each.path(key))
            return meant(each.file.parent, url)
    return None


def _kind(value: object) -> str:
    """Return what a value of the settings is, in TOML's words and without showing it: there may be a password in it."""
    return "an empty string" if value == "" else KINDS.get(type(value), "something else")

"""Which findings a project has accepted: `[[tool.stamp.accept]]` of `./pyproject.toml`, `[[accept]]` of `./stamp.toml`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from stamp.cli.rulebook import RULEBOOK
from stamp.errors import InputError
from stamp.ripple import Acceptance
from stamp.workflow.settings import Settings, settings, shown

__all__ = ["acceptances", "accepted_before"]

KEY: Final = "accept"
ABOUT_ENTRIES: Final = "acceptance-"
"""How the rules are called that are about the entries themselves."""


def acceptances() -> tuple[Acceptance, ...]:
    """Return the entries of the settings, in their order.

    Raises:
        InputError: the settings cannot be read, or an entry is not as it should be; with its line and what to do.
    """
    return tuple(entry for each in settings() for entry in _entries(each))


def accepted_before(texts: Mapping[Path, bytes]) -> Iterator[Acceptance]:
    """Yield the entries of settings as a commit has them. What cannot be used there accepts nothing, and is no fault of the present ones."""
    with suppress(InputError):
        for each in settings(texts):
            tables = each.table.get(KEY, [])
            for table in tables if isinstance(tables, list) else ():
                with suppress(InputError):
                    yield _entry(table, _Place(str(each.file), KEY, None))


def _entries(given: Settings) -> Iterator[Acceptance]:
    tables, path = given.table.get(KEY, []), given.path(KEY)
    if not isinstance(tables, list):
        raise InputError(f"expected tables [[{path}]], got {shown(tables)}", file=given.file, path=path)
    for number, (table, line) in enumerate(zip(tables, given.lines(KEY, len(tables)), strict=True)):
        yield _entry(table, _Place(str(given.file), f"{path}[{number}]", line))


class _Place(NamedTuple):
    """Where an entry stands; nobody knows the line of one that is not written as a table."""

    file: str
    path: str
    line: int | None

    def refuse(self, text: str, key: str | None = None) -> NoReturn:
        raise InputError(text, file=self.file, line=self.line, path=".".join(filter(None, (self.path, key))))


def _entry(table: Any, place: _Place) -> Acceptance:
    if not isinstance(table, dict):
        place.refuse(f"expected a table with {', '.join(KEYS)}, got {shown(table)}")
    for key in table:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, n=1)
            place.refuse(
                f"expected one of {', '.join(KEYS)}, got {shown(key)}{f': did you mean {near[0]}?' if near else ''}"
            )
    for key, wanted in KEYS.items():
        if key in table and not wanted.fits(table[key]):
            place.refuse(f"expected {wanted.text}, got {_said(table[key])}", key)
        if key not in table and wanted.is_needed:
            place.refuse(f"expected {wanted.text}, got nothing: add `{key} = {wanted.example}`", key)
    _check_rule(table["rule"], place)
    return Acceptance(**_values(table), file=place.file, line=place.line)


class _Key(NamedTuple):
    """What stands under a key of an entry."""

    text: str
    example: str
    fits: Callable[[Any], bool]
    is_needed: bool = False


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _is_day(value: Any) -> bool:
    return type(value) is date  # a datetime is a date too, and what its time would mean nobody knows


KEYS: Final[Mapping[str, _Key]] = {
    "rule": _Key("the id of a rule", '"view-breaks"', _is_text, is_needed=True),
    "path": _Key("the path of a finding", '"validation.priority"', _is_text, is_needed=True),
    "reason": _Key("why this is accepted", '"nobody uses it before May"', _is_text, is_needed=True),
    "until": _Key("a date without quotes such as 2030-01-31", "2030-01-31", _is_day),
    "workflow": _Key("the name of a workflow", '"ticket"', _is_text),
}
"""The keys of an entry."""


def _said(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else shown(value)


def _check_rule(rule: str, place: _Place) -> None:
    if rule not in RULEBOOK:
        near = get_close_matches(rule, RULEBOOK, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        place.refuse(f"expected a rule, got {shown(rule)}: {hint}`stamp rules` lists all", "rule")
    if rule.startswith(ABOUT_ENTRIES):
        place.refuse(f"{rule} is about entries like this one, and cannot be accepted: do what it says", "rule")


def _values(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, date) else value.strip() for key, value in table.items()}

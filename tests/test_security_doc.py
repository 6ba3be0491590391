"""docs/security.md has the limits that the code has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

UNITS = {"": 1, "bytes": 1, "characters": 1, "s": 1, "KiB": 2**10, "MiB": 2**20, "h": 3600, "ms": 0.001}


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield the limit, the number and the place of each row of the table."""
    _, _, section = TEXT.partition("## What is bounded")
    section, _, _ = section.partition("\n## ")
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and len(cells) == 4 and cells[0] not in {"limit", "---"}:
            yield cells[0], cells[1], cells[2]


def number(text: str) -> float:
    found = re.fullmatch(r"([\d,.]+) ?(\w*)", text)
    assert found, text
    return float(found[1].replace(",", "")) * UNITS[found[2]]


def constant(place: str) -> Any:
    """Return what a dotted path names: of a module, or a default of a class in it."""
    module, _, name = place.strip("`").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError:
        module, _, owner = module.rpartition(".")
        fields = getattr(import_module(module), owner).__dataclass_fields__
        return fields[name].default


@pytest.mark.parametrize(("limit", "text", "place"), list(rows()))
def test_a_limit_is_what_the_code_has(limit: str, text: str, place: str) -> None:
    assert number(text) == constant(place), limit


def test_the_table_has_every_limit_of_schemas_and_envelopes() -> None:
    places = {place.strip("`") for _, _, place in rows()}
    limits = import_module("stamp.schema.limits")
    named = {f"stamp.schema.limits.{name}" for name in vars(limits) if name.startswith("MAX_")}
    fields = import_module("stamp.envelope.limits").Limits.__dataclass_fields__
    named |= {f"stamp.envelope.limits.Limits.{name}" for name in fields}
    assert named <= places


@pytest.mark.parametrize("file", ["docs/security.md", "SECURITY.md"])
def test_links_lead_somewhere(file: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", (ROOT / file).read_text(encoding="utf-8")):
        assert ((ROOT / file).parent / link).exists(), link
    headings = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"(?m)^#+ (.*)", TEXT)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= headings


def test_whoever_looks_for_it_finds_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "docs/security.md" in readme
    assert "SECURITY.md" in readme

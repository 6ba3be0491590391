"""The work of a check grows with its input, not with its square: of what may come in thousands, twice as much takes about twice the calls."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time
from typing import Any

import pytest

from stamp.compat import Fixes, Witnesses, check
from stamp.compat.source import forget
from stamp.schema import decoder
from stamp.schema.lint import problems


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def calls(work: Callable[[], object]) -> int:
    """Return how many functions of Python are called: unlike seconds, the same on every machine."""
    count = 0

    def told(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call"

    forget()
    sys.setprofile(told)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def missing(n: int) -> tuple[Any, Any]:
    writer, reader = (record("R", *(field(f"{stem}{i}", "string") for i in range(n))) for stem in "ab")
    return writer, reader


def narrowed(n: int) -> tuple[Any, Any]:
    writer, reader = (
        record("R", *(field(f"f{i}", "long", stamp={"maximum": most}) for i in range(n))) for most in (100, 10)
    )
    return writer, reader


def renamed(n: int) -> tuple[Any, Any]:
    reader = record("R", *(field(f"b{i}", "string", aliases=[f"a{i}"]) for i in range(n)))
    return record("R", *(field(f"a{i}", "string") for i in range(n))), reader


def referred(n: int) -> tuple[Any, Any]:
    writer, reader = (
        record("R", field("f", record("A", field("x", type_))), *(field(f"f{i}", "A") for i in range(n)))
        for type_ in ("int", "long")
    )
    return writer, reader


def branches(n: int) -> tuple[Any, Any]:
    writer, reader = (
        record("R", field("u", [record(f"A{i}", field("x", type_)) for i in range(n)])) for type_ in ("int", "long")
    )
    return writer, reader


SHAPES = (missing, narrowed, renamed, referred, branches)
WORK: dict[str, Callable[[Any, Any], object]] = {
    "lint": lambda writer, reader: problems(reader, recursion=True),
    "check": lambda writer, reader: list(check(reader, writer)),
}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_twice_as_much_takes_twice_the_work(shape, work):
    counts = []
    for n in (100, 200):
        writer, reader = shape(n)
        WORK[work](*shape(2))  # what is imported or compiled once
        counts.append(calls(lambda writer=writer, reader=reader: WORK[work](writer, reader)))
    assert counts[1] < 2.4 * counts[0]


@pytest.mark.parametrize("work", ["fix", "witness"])
def test_each_finding_takes_no_more_than_its_share(work):
    counts = []
    for n in (50, 100):
        writer, reader = missing(n)
        found = list(check(reader, writer))
        tried = Fixes(found, reader, writer) if work == "fix" else Witnesses(reader, writer)
        tried.added_to(found[0])
        counts.append(calls(lambda tried=tried, found=found: tried.added_to(found[1])))
    assert counts[1] < 2.4 * counts[0]


def test_a_large_enum_is_read_through_one_table_however_often_it_is_referred_to():
    symbols = [f"S{number}" for number in range(10_000)]
    enum = {"type": "enum", "name": "E", "symbols": symbols}
    writer = record("R", field("f", enum), *(field(f"f{number}", "E") for number in range(30)))
    reader = record("R", field("f", enum | {"symbols": symbols[::-1]}), *writer["fields"][1:])
    begin = process_time()
    read = decoder(writer, reader)
    found = list(check(reader, writer))
    assert process_time() - begin < 3.0
    assert read(b"\2" * 31)["f29"] == "S1"
    assert read.source.count("SYMBOLS_") == 31
    assert len({part.split("[")[0] for part in read.source.split("SYMBOLS_")[1:]}) == 1
    assert [each.rule for each in found] == ["enum-reordered"] * len(found)
    assert all(len(each.message) < 1_000 for each in found)


def hub(stem: str, *, records: int, fields: int, ways: int) -> dict[str, Any]:
    """Return a record that refers `ways` times to one that holds `records` others, whose names of fields begin with `stem`."""
    inner = [record(f"I{j}", *(field(f"{stem}{i}", "int") for i in range(fields))) for j in range(records)]
    middle = record("H", *(field(f"d{j}", each) for j, each in enumerate(inner)))
    return record("R", *(field(f"f{i}", "H" if i else middle) for i in range(ways)))


def test_ways_to_what_is_wrong_are_not_told_without_end_and_that_is_said():
    shape = {"records": 10, "fields": 300, "ways": 64}
    found = check(hub("b", **shape), hub("a", **shape))
    assert len(found) == 3_000
    assert len({each.path.rpartition(".")[2] + each.pointer.rpartition("/fields/")[0] for each in found}) == 3_000
    assert found[-1].message.endswith("can be reached by more ways than are told")
    assert not found[0].message.endswith("than are told")


def test_what_is_wrong_behind_many_findings_is_told():
    shape = {"records": 10, "fields": 300, "ways": 64}
    reader, writer = hub("b", **shape), hub("a", **shape)
    reader["fields"].append(field("last", record("L", field("x", "int"))))
    writer["fields"].append(field("last", record("L", field("x", "string"))))
    assert any(each.path == "last.x" for each in check(reader, writer))

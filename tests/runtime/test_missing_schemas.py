"""Schemas that messages wait for: looked for, told of, and forgotten."""

from __future__ import annotations

import logging

import pytest

from stamp.errors import UnknownSchemaError
from stamp.runtime import missing_schemas as module
from stamp.runtime.missing_schemas import MissingSchemas

from .protocol.clock import Clock

ID, OTHER = bytes([1] * 16), bytes([2] * 16)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock.seconds)
    return clock


def unknown(schema_id):
    error = UnknownSchemaError(f"no schema {schema_id.hex()}")
    error.schema_id = schema_id
    return error


class Place:
    def __init__(self):
        self.known, self.woken = set(), []
        self.missing = MissingSchemas(self.known.__contains__, lambda *what: self.woken.append(what))


@pytest.fixture
def place(clock):
    return Place()


def test_what_waits_is_woken_when_the_schema_is_there(place):
    place.missing.note("shop.b", unknown(ID))
    place.missing.note("shop.a", unknown(ID))
    place.missing.note("shop.a", unknown(OTHER))
    place.missing.turn()
    assert place.woken == []

    place.known.add(ID)
    place.missing.turn()
    place.missing.turn()

    assert place.woken == [(["shop.a", "shop.b"], ID)]
    assert len(place.missing.troubles) == 1


def test_it_is_told_once_a_minute(place, clock, caplog):
    for _ in range(121):
        place.missing.note("shop.a", unknown(ID))
        place.missing.turn()
        clock.sleep(1)
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert told == [f"shop.a: messages wait for a schema: no schema {ID.hex()}"] * 3
    assert place.missing.troubles == told[:1]


def test_what_nobody_asks_for_any_more_is_forgotten(place, clock):
    place.missing.note("shop.a", unknown(ID))
    place.missing.turn()
    clock.sleep(181)
    place.missing.turn()
    assert place.missing.troubles == []

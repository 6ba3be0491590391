"""What an orchestrator asks."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection

import pytest

from stamp.errors import InputError
from stamp.runtime.health import Health


@pytest.fixture
def troubles():
    return {"live": [], "ready": []}


@pytest.fixture
def health(troubles):
    with Health("127.0.0.1", 0, live=lambda: troubles["live"], ready=lambda: troubles["ready"]) as health:
        yield health


def get(health, path, method="GET"):
    connection = HTTPConnection(*health.address, timeout=20)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, json.loads(body) if response.getheader("Content-Type") == "application/json" else body


@pytest.mark.parametrize("path", ["/live", "/ready", "/ready?from=somebody"])
def test_all_is_well(health, path):
    assert get(health, path) == (200, {"ok": True, "wrong": []})


@pytest.mark.parametrize("name", ["live", "ready"])
def test_what_is_wrong_is_told(health, troubles, name):
    troubles[name] = ["relay: no broker"]

    assert get(health, f"/{name}") == (503, {"ok": False, "wrong": ["relay: no broker"]})


def test_being_ready_is_something_else_than_being_alive(health, troubles):
    troubles["ready"] = ["stopping"]

    assert get(health, "/live")[0] == 200


def test_who_asks_for_something_else_is_told_what_there_is(health):
    assert get(health, "/") == (404, {"known": ["/live", "/ready"]})


def test_nothing_is_changed_by_asking(health):
    assert get(health, "/ready", "POST")[0] == 501


def test_who_says_nothing_holds_up_nobody(health):
    with socket.create_connection(health.address):
        assert get(health, "/live")[0] == 200


@pytest.mark.parametrize("place", [("127.0.0.1", 70_000), ("256.0.0.1", 0), ("127.0.0.1", -1)])
def test_an_address_that_cannot_be_used_is_refused(place):
    with pytest.raises(InputError, match="expected an address"):
        Health(*place, live=list, ready=list)


def test_an_address_that_is_in_use_is_refused(health):
    with pytest.raises(InputError, match="in use"):
        Health(*health.address, live=list, ready=list)


def test_at_the_end_nobody_answers(troubles):
    with Health("127.0.0.1", 0, live=list, ready=list) as health:
        assert get(health, "/live")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        get(health, "/live")

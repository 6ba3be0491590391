"""The demonstration tells the truth, fits its terminal, and what it suggests works."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import fastavro
import pytest
from rich.cells import cell_len

STAMP = Path(sysconfig.get_path("scripts")) / "stamp"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a stranger sees, in an empty folder."""
    environment = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "COLUMNS"}}
    done = subprocess.run(
        [STAMP, "demo"], capture_output=True, check=True, cwd=tmp_path_factory.mktemp("empty"), env=environment
    )
    assert done.stderr == b""
    return done.stdout.decode()


def test_it_is_about_one_screen_and_a_half(shown):
    assert 50 <= len(shown.splitlines()) <= 75


@pytest.mark.parametrize(
    "said",
    [
        "stamp lets the events of a workflow carry its state",
        "One run, ticket 4729: Speaker hums louder than the music",
        "ticket 1/8, validation 2/3",
        "priority=NORMAL",
        "100 tickets in, 100 final events out: 550 hops in",
        "hops a second",
    ],
)
def test_it_says(shown, said):
    assert said in " ".join(shown.split())


def test_the_envelope_grows_by_what_is_added(shown):
    added = [int(number.replace(",", "")) for number in re.findall(r"\+([\d,]+)", shown)]
    totals = [int(number.replace(",", "")) for number in re.findall(r"\+[\d,]+ +([\d,]+)", shown)]
    assert len(added) == len(totals) == 7
    assert [sum(added[: number + 1]) for number in range(7)] == totals


def test_what_it_suggests_works_as_printed(shown, tmp_path):
    commands = [
        line.strip()
        for line in shown.split("Try next")[1].splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    assert {shlex.split(command)[1] for command in commands} == {"demo", "decode", "play", "export"}
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout or "play" in command


def test_a_folder_that_is_there_is_not_suggested(stamp, here):
    (here / "demo").mkdir()
    assert "demo --keep demo-2\n" in stamp("demo", "--tickets", 1).stdout


@pytest.mark.parametrize(("number", "ids"), [(1, ["4700"]), (30, None), (103, None)])
def test_as_many_tickets_are_played_as_are_wanted(stamp, here, number, ids):
    done = stamp("demo", "--tickets", number, "--keep", "kept")
    assert done.exit_code == 0
    assert f"{number} ticket{'s' * (number > 1)} in, {number} final event{'s' * (number > 1)} out" in " ".join(
        done.stdout.split()
    )
    events = list(fastavro.reader(io.BytesIO((here / "kept/events.avro").read_bytes())))
    lines = (here / "kept/tickets.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    assert [each["workflow_id"] for each in events] == [json.loads(line)["workflow_id"] for line in lines]
    assert len({each["workflow_id"] for each in events}) == number
    assert ids is None or [each["workflow_id"] for each in events] == ids


def test_it_writes_nothing_unless_asked(stamp, here):
    assert stamp("demo", "--tickets", 2).exit_code == 0
    assert not list(here.iterdir())


def test_it_minds_no_contracts_of_others(stamp, here, monkeypatch):
    """Whatever is in the folder of a stranger."""
    (here / "schemas/ticket/ticket").mkdir(parents=True)
    (here / "schemas/ticket/ticket/step.json").write_text("nonsense")
    (here / "pyproject.toml").write_text("nonsense")
    assert stamp("demo", "--tickets", 2).exit_code == 0
    monkeypatch.setenv("STAMP_SCHEMAS", str(here / "schemas"))
    assert stamp("demo", "--tickets", 2).exit_code == 0


def test_a_folder_with_files_in_it_is_not_written_to(stamp, here):
    (here / "mine").mkdir()
    (here / "mine/events.avro").write_text("precious")
    done = stamp("demo", "--tickets", 2, "--keep", "mine")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "mine: expected a folder that is new or empty" in done.stderr
    assert (here / "mine/events.avro").read_text() == "precious"


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(stamp, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = stamp("demo", "--tickets", 30).stdout.split("Try next")[0]  # commands are to be copied in one piece
    assert max(map(cell_len, text.splitlines())) <= columns

"""Every line of an input is played, or it is in the rejects."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sysconfig
from base64 import b64decode
from collections import Counter
from pathlib import Path

import fastavro
import pytest

from stamp import Envelope

TICKETS = "examples.ticket:ticket"


def finals(file: Path) -> list[dict]:
    with file.open("rb") as stream:
        return list(fastavro.reader(stream))


def rejects(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


@pytest.fixture(scope="session")
def tickets(root: Path) -> list[bytes]:
    return (root / "examples/ticket/tickets.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")


class TestTickets:
    def test_all_of_them_end(self, stamp, here, root):
        done = stamp("play", TICKETS, "--input", root / "examples/ticket/tickets.jsonl", "--out", "events.avro")
        assert (done.exit_code, done.stdout) == (0, "")
        assert re.fullmatch(
            r"100 runs in .* a second\n  SurveyAnswered       90\n  TicketRejected       10\n"
            r"events\.avro: 100 final events, 111,6\d\d bytes\n",
            done.stderr,
        )
        assert [path.name for path in here.iterdir()] == ["events.avro"]

    def test_any_avro_library_reads_what_was_played(self, stamp, here, tickets):
        stamp("play", TICKETS, "--input", "-", "--out", "events.avro", input=b"\n".join(tickets))
        found = finals(here / "events.avro")
        assert [each["workflow_id"] for each in found] == [json.loads(line)["workflow_id"] for line in tickets]
        assert Counter(each["contributions"][-1]["event"] for each in found) == {
            "SurveyAnswered": 90,
            "TicketRejected": 10,
        }

    def test_with_bad_lines_among_them_none_is_lost(self, stamp, write_lines, here, tickets):
        bad = [
            b"nonsense",
            b"\xff\xfe\x00",
            b"{}",
            tickets[0],
            tickets[5].replace(b'"channel"', b'"chanel"'),
            tickets[6].replace(b'"customer"', b'"kunde"'),
            b'{"workflow_id": "x", "deep": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
            b'{"workflow_id": "long", "x": "' + b"x" * 4_000_000 + b'"}',
        ]
        given = [
            each
            for number, line in enumerate(tickets)
            for each in (line, *bad[number // 10 : number // 10 + 1] * (number % 10 == 9), b"")
        ]
        file = write_lines(given)
        done = stamp("play", TICKETS, "--input", file, "--out", "events.avro")
        assert done.exit_code == 1
        rejected = rejects(here / "events.avro.rejects.jsonl")
        assert len(finals(here / "events.avro")) == 100
        assert len(rejected) == len(bad)
        for each in rejected:
            original = each["text"].encode() if "text" in each else b64decode(each["base64"])
            assert original == given[each["line"] - 1]
            assert each["error"]
        assert len(re.findall(r"^.*lines\.jsonl:\d+: ", done.stderr, re.MULTILINE)) == len(bad)
        assert "100 runs" in done.stderr
        assert "events.avro.rejects.jsonl: 8 bad lines\n" in done.stderr

    def test_what_was_rejected_can_be_mended_and_played_again(self, stamp, write_lines, here, tickets):
        file = write_lines([line.replace(b'"plan"', b'"paln"') for line in tickets[:3]] + tickets[3:])
        assert stamp("play", TICKETS, "--input", file, "--out", "events.avro").exit_code == 1
        texts = [each["text"].encode() for each in rejects(here / "events.avro.rejects.jsonl")]
        mended = b"\n".join(text.replace(b'"paln"', b'"plan"') for text in texts)
        assert stamp("play", TICKETS, "--input", "-", "--out", "more.avro", input=mended).exit_code == 0
        ids = [each["workflow_id"] for name in ("events.avro", "more.avro") for each in finals(here / name)]
        assert sorted(ids) == sorted(json.loads(line)["workflow_id"] for line in tickets)


@pytest.mark.parametrize(
    ("lines", "status", "ends", "rejected"),
    [
        ([], 0, {}, []),
        ([b"", b" ", b"\t\r"], 0, {}, []),
        ([{"workflow_id": "1"}], 0, {"Done": 1}, []),
        ([{"workflow_id": "1", "do": "fail"}], 0, {"work.failed": 1}, []),
        ([{"workflow_id": "1", "do": "nothing"}], 0, {}, []),
        ([{"workflow_id": "1", "do": "crash"}], 1, {}, [1]),
        ([{"workflow_id": "1"}, {"workflow_id": "1"}], 1, {"Done": 1}, [2]),
        ([b"", {"workflow_id": "1", "doo": ""}, b"", {"workflow_id": "2", "do": "crash"}, {"workflow_id": "3"}], 1, {"Done": 1}, [2, 4]),
    ],
)  # fmt: skip
def test_how_a_play_ends(stamp, small, here, write_lines, lines, status, ends, rejected):
    done = stamp("play", f"{small}:order", "--input", write_lines(lines), "--out", "o.avro")
    assert done.exit_code == status
    assert Counter(each["contributions"][-1]["event"] for each in finals(here / "o.avro")) == ends
    found = rejects(here / "o.avro.rejects.jsonl") if rejected else []
    assert [each["line"] for each in found] == rejected
    assert (here / "o.avro.rejects.jsonl").exists() is bool(rejected)


def test_what_a_handler_could_not_process_says_where_and_can_be_decoded(stamp, small, here, write_lines):
    lines = write_lines([{"workflow_id": "1", "do": "crash"}])
    done = stamp("play", f"{small}:order", "--input", lines, "--out", "o.avro")
    line = 1 + (here / "small.py").read_text().split("\n").index("        raise KeyError(order.do)")
    said = f"KeyError: 'crash', raised at {here / 'small.py'}:{line}"
    assert f"lines.jsonl:1: {said} (the step work, on Ordered)\n" in done.stderr
    assert "o.avro.rejects.jsonl: 1 parked message\n" in done.stderr
    [parked] = rejects(here / "o.avro.rejects.jsonl")
    body = parked.pop("body")
    assert parked == {
        "line": 1,
        "error": said,
        "workflow_id": "1",
        "step": "work",
        "event": "Ordered",
        "text": '{"workflow_id": "1", "do": "crash"}',
    }
    assert Envelope.from_bytes(b64decode(body)).contributions[-1].event == "Ordered"
    decoded = stamp("decode", "-", "--format", "json", input=body.encode())
    assert json.loads(decoded.stdout)["workflow_id"] == "1"


def test_a_run_without_a_final_event_is_counted(stamp, small, write_lines):
    lines = write_lines(
        [{"workflow_id": str(number), "do": do} for number, do in enumerate(("nothing", "", "nothing"))]
    )
    done = stamp("play", f"{small}:order", "--input", lines, "--out", "o.avro")
    assert "2 runs ended in a step that publishes nothing" in done.stderr


def test_a_validator_that_crashes_makes_a_bad_line(stamp, small, here, write_lines):
    source = (here / "small.py").read_text()
    crashing = "    @field_validator('do')\n    def checked(cls, value):\n        return {'': ''}[value]\n\n"
    source = source.replace("class Do(", f"{crashing}class Do(").replace(
        "BaseModel, Field", "BaseModel, Field, field_validator"
    )
    (here / "crashing.py").write_text(source)
    lines = write_lines([{"workflow_id": "1", "do": "x"}, {"workflow_id": "2"}])
    done = stamp("play", "crashing:order", "--input", lines, "--out", "o.avro")
    assert done.exit_code == 1
    assert "lines.jsonl:1: KeyError: 'x', raised at " in done.stderr
    assert len(finals(here / "o.avro")) == 1


def test_after_many_problems_the_others_are_counted(stamp, small, write_lines):
    done = stamp("play", f"{small}:order", "--input", write_lines([b"x"] * 30), "--out", "o.avro")
    assert done.stderr.count("lines.jsonl:") == 20
    assert "... and 10 problems more\n" in done.stderr
    assert "30 bad lines" in done.stderr


def test_problems_are_told_without_control_characters(stamp, small, write_lines):
    lines = write_lines([b'{"workflow_id": "1", "do": ["\\u001b[31m\\u202e"]}', b'{"workflow_id": "\x1b[31m"}'])
    done = stamp("play", f"{small}:order", "--input", lines, "--out", "o.avro")
    assert done.exit_code == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["small:order", "--input", "lines.jsonl", "--out", "lines.jsonl"], "got one of them twice"),
        (["small:order", "--input", "lines.jsonl", "--out", "o", "--rejects", "./lines.jsonl"], "got one of them twice"),
        (["small:order", "--input", "lines.jsonl", "--out", "o", "--rejects", "o"], "got one of them twice"),
        (["small:order", "--input", "lines.jsonl", "--out", "no/o"], "no/o: expected a file that can be written: No such file"),
        (["small:order", "--input", "lines.jsonl", "--out", "o", "--rejects", "no/r"], "no/r: expected a file in a folder that is"),
        (["small:order", "--input", "nothing.jsonl", "--out", "o"], "does not exist"),
        (["small:order", "--input", ".", "--out", "o"], "is a directory"),
        (["small:order", "--input", "lines.jsonl", "--out", "."], "is a directory"),
        (["small:order", "--input", "lines.jsonl", "--out", "o", "--start", "work"], "expected a step that starts order"),
        (["small:two_starts", "--input", "lines.jsonl", "--out", "o"], "choose with --start"),
        (["small:nothing", "--input", "lines.jsonl", "--out", "o"], "got nothing of that name"),
    ],
)  # fmt: skip
def test_what_cannot_run_leaves_nothing_behind(stamp, small, here, write_lines, arguments, said):
    write_lines([{"workflow_id": "1"}])
    before = {path.name: path.read_bytes() for path in here.iterdir() if path.is_file()}
    done = stamp("play", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert {path.name: path.read_bytes() for path in here.iterdir() if path.is_file()} == before


def test_a_start_can_be_chosen(stamp, small, here, write_lines):
    lines = write_lines([{"workflow_id": "1", "street": "a"}])
    done = stamp("play", f"{small}:two_starts", "--input", lines, "--out", "o.avro", "--start", "other")
    assert done.exit_code == 0
    assert [each["contributions"][0]["event"] for each in finals(here / "o.avro")] == ["Other"]


def test_rejects_go_where_they_are_wanted_and_those_of_before_are_left(stamp, small, here, write_lines):
    lines = write_lines([b"x"])
    stamp("play", f"{small}:order", "--input", lines, "--out", "o.avro", "--rejects", "r.jsonl")
    assert len(rejects(here / "r.jsonl")) == 1
    write_lines([{"workflow_id": "1"}])
    done = stamp("play", f"{small}:order", "--input", lines, "--out", "o.avro", "--rejects", "r.jsonl")
    assert done.exit_code == 0
    assert "r.jsonl: of an earlier play, left as it is\n" in done.stderr
    assert len(rejects(here / "r.jsonl")) == 1


SHOP = """
from pydantic import BaseModel
from stamp import Workflow

shop = Workflow("shop"{options})

class Order(BaseModel):
    pieces: int

class Packed(BaseModel):
    weight: int

class Sent(BaseModel):
    weight: int
"""
STEPS = {
    "orders": 'shop.starts("order", Order, emits="Ordered")',
    "packing": """
@shop.step(on="Ordered", emits="Packed")
def packing(order: Order) -> Packed:
    return Packed(weight=order.pieces)
""",
    "sending": """
@shop.step(on="Packed", emits="Sent", ends="Sent")
def sending(packing: Packed) -> Sent:
    return Sent(weight=packing.weight)
""",
    "archive": """
@shop.step(on=["Ordered", "Sent"])
def archive(order: Order) -> None:
    pass
""",
}


@pytest.fixture
def services(here, stamp):
    """Return what writes modules with a Workflow of one name each, and exports their contracts."""

    def write(*names, options=""):
        for name in names:
            (here / f"{name}.py").write_text(SHOP.format(options=options) + STEPS[name])
        for name in names:
            assert stamp("export", f"{name}:shop").exit_code == 0

    return write


@pytest.mark.parametrize(
    ("played", "status", "ends", "rejected"),
    [
        ("orders packing sending archive", 0, {"Sent": 1}, []),
        ("archive sending packing orders", 0, {"Sent": 1}, []),
        ("orders packing sending", 1, {"Sent": 1}, [("archive", "Ordered"), ("archive", "Sent")]),
        ("orders packing archive", 1, {}, [("sending", "Packed")]),
        ("orders sending archive", 1, {}, [("packing", "Ordered")]),
        ("orders", 1, {}, [("packing", "Ordered"), ("archive", "Ordered")]),
    ],
)
def test_separate_workflow_objects_are_played_together(
    stamp, services, here, write_lines, played, status, ends, rejected
):
    services("orders", "packing", "sending", "archive")
    targets = [f"{name}:shop" for name in played.split()]
    done = stamp("play", *targets, "--input", write_lines([{"workflow_id": "1", "pieces": 2}]), "--out", "o.avro")
    assert done.exit_code == status
    assert Counter(each["contributions"][-1]["event"] for each in finals(here / "o.avro")) == ends
    found = rejects(here / "o.avro.rejects.jsonl") if rejected else []
    assert sorted((each["step"], each["event"]) for each in found) == sorted(rejected)
    for step, number in Counter(step for step, _ in rejected).items():
        events = f"{number} event{'s' * (number > 1)}"
        assert f"  {events} for {step}, whose code is in none of these modules: name its module, too\n" in done.stderr
    assert (f"o.avro.rejects.jsonl: {len(rejected)} waiting event" in done.stderr) is bool(rejected)


@pytest.mark.parametrize(
    ("played", "behind"),
    [("orders", "sending"), ("orders archive", "sending"), ("orders sending", None), ("orders packing", None)],
)
def test_what_comes_behind_a_step_that_is_not_here_is_said(stamp, services, write_lines, played, behind):
    services("orders", "packing", "sending", "archive")
    targets = [f"{name}:shop" for name in played.split()]
    done = stamp("play", *targets, "--input", write_lines([{"workflow_id": "1", "pieces": 2}]), "--out", "o.avro")
    said = f"  behind that, and in none of these modules either: {behind}\n"
    assert (said in done.stderr) is (behind is not None)


def test_what_waits_for_a_step_that_is_not_here_can_be_decoded(stamp, services, here, write_lines):
    services("orders", "packing")
    stamp("play", "orders:shop", "--input", write_lines([{"workflow_id": "1", "pieces": 2}]), "--out", "o.avro")
    [waiting] = rejects(here / "o.avro.rejects.jsonl")
    assert waiting["error"] == "the code of the step 'packing' is in no module of this play"
    assert Envelope.from_bytes(b64decode(waiting["body"])).contributions[-1].event == "Ordered"


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["orders:shop", "small:order"], "expected workflows of one name, got 'shop' and 'order'"),
        (["orders:shop", "packing:nothing"], "expected a Workflow, got nothing of that name: the module has packing:shop"),
        (["orders:shop", "orders2:shop"], "order: expected one step of that name, got another one at "),
        (["orders:shop", "far:shop"], "shop: expected workflows with one contracts folder, got schemas and far_schemas"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(stamp, services, small, here, write_lines, targets, said):
    services("orders", "packing")
    (here / "orders2.py").write_text(SHOP.format(options="") + STEPS["orders"])
    (here / "far.py").write_text(SHOP.format(options=', contracts="far_schemas"') + STEPS["packing"])
    done = stamp("play", *targets, "--input", write_lines([]), "--out", "o.avro")
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (here / "o.avro").exists()


def test_the_contracts_folder_can_be_said(stamp, services, here, write_lines):
    services("orders")
    (here / "packing.py").write_text(SHOP.format(options=', contracts="far_schemas"') + STEPS["packing"])
    lines = write_lines([{"workflow_id": "1", "pieces": 2}])
    done = stamp("play", "orders:shop", "packing:shop", "--schemas", "schemas", "--input", lines, "--out", "o.avro")
    assert (done.exit_code, len(finals(here / "o.avro"))) == (0, 1)


@pytest.mark.parametrize("columns", ["80", "20"])
def test_a_terminal_shows_how_far_it_is(tmp_path, root, require, columns):
    stamp = Path(sysconfig.get_path("scripts")) / "stamp"
    tickets = root / "examples/ticket/tickets.jsonl"
    command = f"{stamp} play {TICKETS} --input {tickets} --out {tmp_path}/o.avro 2>&1"
    environment = os.environ | {"COLUMNS": columns, "TERM": "xterm"}
    done = subprocess.run(
        [require("script"), "-qec", command, "/dev/null"],
        capture_output=True,
        check=True,
        env=environment,
        cwd=root,
        stdin=subprocess.DEVNULL,
    )
    assert b"playing" in done.stdout
    assert b"100 runs" in done.stdout


def test_an_input_without_end_is_read_as_it_comes(stamp, small, here):
    data = b"".join(b'{"workflow_id": "%d"}\n' % number for number in range(2_000))
    done = stamp("play", f"{small}:order", "--input", "-", "--out", "o.avro", input=data)
    assert done.exit_code == 0
    with (here / "o.avro").open("rb") as stream:
        assert sum(block.num_records for block in fastavro.block_reader(stream)) == 2_000
    assert io.BytesIO(data).readline() == b'{"workflow_id": "0"}\n'

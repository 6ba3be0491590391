"""`stamp graph`: the flow that contracts imply, told, drawn and written for other programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamp.cli.flow import Event, Flow, Read, Step, flow
from stamp.cli.render import graph_dot, graph_json, graph_mermaid, graph_svg, graph_text
from stamp.cli.render.graph_card import card
from stamp.cli.render.graph_geometry import Geometry
from stamp.cli.render.graph_layout import Link, centres
from stamp.ripple import Graph, contracts_of, read_folder
from stamp.ripple.example import files
from stamp.workflow.contract import StepContract

Steps = Mapping[str, Mapping[str, Any]]

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = 'x"y\\ <b>&amp; #quot; | ] }; `z` -->\n\x1b[31m\u202e]]>'

FLOW: Steps = {
    "ticket": {
        "emits": {"Created": "Ticket"},
        "writes": {"Ticket.v1": {"text": "string", "note": "string"}},
    },
    "validation": {
        "on": ["Created", "billing.failed"],
        "emits": {"Validated": "Valid", "Rejected": "Refusal"},
        "ends": ["Rejected"],
        "reads": {"ticket": {"text": "string"}, "billing": {"amount": "long"}},
        "optional": ["billing"],
        "writes": {"Valid.v1": {"priority": "string"}, "Refusal.v1": {"reason": "string"}},
    },
    "billing": {
        "on": ["Validated"],
        "emits": {"Billed": "Bill"},
        "reads": {"validation": {"priority": "string"}},
        "writes": {"Bill.v1": {"amount": "long"}},
    },
    "audit": {"on": ["Validated"], "reads": {"ticket": {"text": "string", "note": "string"}}},
}
BROKEN: Steps = FLOW | {
    "lost": {"on": ["NeverPublished"], "reads": {"ghost": {"sheet": "string"}}},
    "ring-1": {"on": ["B"], "emits": {"A": "R"}, "writes": {"R.v1": {"x": "int"}}},
    "ring_1": {"on": ["A", "Twice"], "emits": {"B": "R", "Twice": "R"}, "writes": {"R.v1": {"x": "int"}}},
}


def drawn(steps: Steps) -> Flow:
    contracts = contracts_of(files(steps), name="now")
    return flow(Graph.of("ticket", contracts.of("ticket").values()))


@pytest.fixture
def lay(here: Path) -> Callable[..., str]:
    """Write steps into `schemas` of the current folder."""

    def write(steps: Steps, *, workflow: str = "ticket") -> str:
        for name, text in files(steps, workflow=workflow).items():
            (here / "schemas" / name).parent.mkdir(parents=True, exist_ok=True)
            (here / "schemas" / name).write_bytes(text)
        return "schemas"

    return write


class TestFlow:
    """What contracts imply."""

    def test_steps_are_in_layers_by_how_many_events_lead_to_them(self):
        steps = drawn(FLOW).steps
        assert [(step.name, step.layer) for step in steps] == [
            ("ticket", 0),
            ("validation", 1),
            ("audit", 2),
            ("billing", 2),
        ]
        assert [step.name for step in steps if step.is_start] == ["ticket"]
        assert all(step.is_reached for step in steps)

    def test_events_have_publishers_and_listeners_and_may_be_ends(self):
        assert drawn(FLOW).events == (
            Event("Created", ("ticket",), ("validation",), is_failure=False, is_end=False),
            Event("Validated", ("validation",), ("audit", "billing"), is_failure=False, is_end=False),
            Event("Rejected", ("validation",), (), is_failure=False, is_end=True),
            Event("Billed", ("billing",), (), is_failure=False, is_end=False),
            Event("billing.failed", ("billing",), ("validation",), is_failure=True, is_end=False),
        )

    def test_a_failure_without_listeners_is_said_of_its_step(self):
        fails = {step.name: step.fails for step in drawn(FLOW).steps}
        assert fails == {
            "ticket": None,
            "validation": "validation.failed",
            "audit": "audit.failed",
            "billing": None,
        }

    def test_a_failure_that_another_step_publishes_of_success_is_no_failure(self):
        steps = FLOW | {"audit": FLOW["audit"] | {"emits": {"billing.failed": "R"}, "writes": {"R.v1": {"x": "int"}}}}
        assert [event for event in drawn(steps).events if event.name == "billing.failed"] == [
            Event("billing.failed", ("audit", "billing"), ("validation",), is_failure=False, is_end=False)
        ]

    def test_what_is_read_is_told_down_to_the_bottom(self):
        language = {"type": "record", "name": "Customer", "fields": [{"name": "language", "type": "string"}]}
        part = {"type": "record", "name": "Part", "fields": [{"name": "number", "type": "string"}]}
        view = [
            {"name": "customer", "type": language},
            {"name": "payer", "type": ["null", "Customer"], "default": None},
            {"name": "parts", "type": {"type": "array", "items": part}},
            {"name": "by_day", "type": {"type": "map", "values": ["null", {"type": "array", "items": "long"}]}},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        ]
        steps = FLOW | {"audit": {"on": ["Validated"], "reads": {"ticket": view, "billing": []}}}
        (ticket, billing) = next(step.reads for step in drawn(steps).steps if step.name == "audit")
        assert ticket.fields == ("customer.language", "payer", "parts[].number", "by_day{}[]", "at")
        assert billing == Read("billing", (), is_optional=False)

    def test_what_is_broken_is_there_too(self):
        found = drawn(BROKEN)
        assert found.missing == ("ghost",)
        assert {step.name for step in found.steps if not step.is_reached} == {"lost", "ring-1", "ring_1"}
        assert Event("NeverPublished", (), ("lost",), is_failure=False, is_end=False) in found.events
        assert {step.name: step.layer for step in found.steps if step.name.startswith("ring")} == {
            "ring-1": 0,
            "ring_1": 1,
        }


def test_text_tells_each_step_in_the_order_of_a_run(lay, stamp):
    done = stamp("graph", lay(FLOW))
    assert (done.exit_code, done.stdout) == (
        0,
        """\
Workflow ticket

ticket  starts runs
  emits  Created → validation

validation  on Created and billing.failed
  reads  ticket: text
  reads  billing: amount (may be absent)
  emits  Validated → audit and billing
  emits  Rejected, an end
  fails  validation.failed, nobody listens

audit  on Validated
  reads  ticket: text, note
  fails  audit.failed, nobody listens

billing  on Validated
  reads  validation: priority
  emits  Billed, nobody listens
  fails  billing.failed → validation
""",
    )


def test_json_has_all_of_it(lay, stamp):
    lay(FLOW)
    lay(FLOW, workflow="order")
    document = json.loads(stamp("graph", "--format", "json").stdout)
    assert document["version"] == 1
    assert [each["workflow"] for each in document["workflows"]] == ["order", "ticket"]
    steps = {step["step"]: step for step in document["workflows"][1]["steps"]}
    assert steps["validation"] == {
        "step": "validation",
        "layer": 1,
        "start": False,
        "reached": True,
        "fails": "validation.failed",
        "reads": [
            {"step": "ticket", "fields": ["text"], "optional": False},
            {"step": "billing", "fields": ["amount"], "optional": True},
        ],
    }
    assert document["workflows"][1]["events"][-1] == {
        "event": "billing.failed",
        "publishers": ["billing"],
        "listeners": ["validation"],
        "failure": True,
        "end": False,
    }


@pytest.mark.parametrize("format_", ["mermaid", "dot", "svg"])
def test_a_drawing_has_one_workflow(format_, lay, stamp):
    lay(FLOW)
    lay(FLOW, workflow="order")
    done = stamp("graph", "--format", format_)
    assert done.exit_code == 2
    assert "expected --workflow and one of order, ticket" in done.stderr
    assert stamp("graph", "--format", format_, "--workflow", "order").exit_code == 0


MERMAID = re.compile(
    r"flowchart TD"
    r'|    \w+(\["[^"\n]+"\]|\(\["[^"\n]+"\]\)):::(start|step|final|failure|lost)'
    r'|    \w+ (-->|==>)(\|"[^"\n]+"\|)? \w+'
    r'|    \w+ -\. "[^"\n]+" \.-> \w+'
    r"|    classDef \w+ [\w:#, -]+"
)


class TestMermaid:
    """https://mermaid.js.org/syntax/flowchart.html."""

    def test_a_small_flow(self):
        text = graph_mermaid.render(drawn(FLOW))
        assert text.splitlines()[:17] == [
            "flowchart TD",
            '    step_ticket(["ticket"]):::start',
            '    step_validation["validation<br>fails: validation.failed"]:::step',
            '    step_audit["audit<br>fails: audit.failed"]:::step',
            '    step_billing["billing"]:::step',
            '    step_ticket -->|"Created"| step_validation',
            '    step_validation -->|"Validated"| step_audit',
            '    step_validation -->|"Validated"| step_billing',
            '    event_Rejected(["Rejected"]):::final',
            "    step_validation --> event_Rejected",
            '    event_Billed(["Billed"]):::lost',
            "    step_billing --> event_Billed",
            '    step_billing ==>|"billing.failed"| step_validation',
            '    step_ticket -. "text" .-> step_validation',
            '    step_billing -. "amount<br>may be absent" .-> step_validation',
            '    step_ticket -. "text, note" .-> step_audit',
            '    step_validation -. "priority" .-> step_billing',
        ]

    @pytest.mark.parametrize("steps", [FLOW, BROKEN])
    def test_every_line_is_of_the_language_and_every_arrow_joins_what_is_there(self, steps):
        lines = graph_mermaid.render(drawn(steps)).splitlines()
        declared = {found[1] for line in lines if (found := re.match(r" {4}(\w+)[\[(]", line))}
        joined = {name for line in lines if ">" in line for name in re.findall(r"\b(?:step|event)_\w+", line)}
        assert [line for line in lines if not MERMAID.fullmatch(line)] == []
        assert joined <= declared
        assert len(declared) == len({*declared})

    @given(st.sets(st.text("ab-_.", min_size=1, max_size=4), min_size=2, max_size=8))
    def test_no_two_names_have_one_id(self, names):
        ids = [graph_mermaid._step_id(name) for name in names]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"step_[A-Za-z0-9_]+", each) for each in ids)


class TestDot:
    """https://graphviz.org/doc/info/lang.html."""

    NAME = r'"(?:[^"\\\n]|\\.)*"'
    LINE = re.compile(rf"  (graph|node|edge|{NAME}( -> {NAME})?)( \[\w+={NAME}( \w+={NAME})*\])?;")

    @pytest.mark.parametrize("steps", [FLOW, BROKEN])
    def test_every_line_is_of_the_language(self, steps):
        first, *lines, last = graph_dot.render(drawn(steps)).splitlines()
        assert (first, last) == ('digraph "ticket" {', "}")
        assert [line for line in lines if not self.LINE.fullmatch(line)] == []

    def test_reads_are_dashed_and_have_their_fields(self):
        text = graph_dot.render(drawn(FLOW))
        assert '"step ticket" -> "step audit" [label="text\\nnote" style="dashed"' in text
        assert '"step billing" -> "step validation" [label="billing.failed" color="#cf222e"];' in text


def hostile() -> Flow:
    """Whatever a name could be, if nobody checked names."""
    read = Read(HOSTILE, (HOSTILE, "b"), is_optional=True)
    step = Step(
        HOSTILE, 0, (read, Read(f"no {HOSTILE}", (), is_optional=False)), is_start=True, is_reached=True, fails=HOSTILE
    )
    other = replace(step, name="other", layer=1, is_start=False, is_reached=False)
    events = [
        Event(f"{HOSTILE}{n}", (HOSTILE,), ("other", HOSTILE)[:n], is_failure=n == 1, is_end=n == 2) for n in range(3)
    ]
    return Flow(HOSTILE, (step, other), tuple(events), (f"no {HOSTILE}",))


def test_names_cannot_reach_a_terminal_raw_or_leave_their_quotes():
    for text in (
        click.unstyle(graph_text.render([hostile()])),
        graph_mermaid.render(hostile()),
        graph_dot.render(hostile()),
    ):
        assert not re.search("[\x1b\u202e]", text)
    assert all(MERMAID.fullmatch(line) for line in graph_mermaid.render(hostile()).splitlines())
    _, *lines, _ = graph_dot.render(hostile()).splitlines()
    assert all(TestDot.LINE.fullmatch(line) for line in lines)
    assert json.loads(graph_json.render([hostile()]))["workflows"][0]["workflow"] == HOSTILE
    text = graph_svg.render(hostile())
    assert "\x1b" not in text
    assert any(HOSTILE[:8] in (each.text or "") for each in ET.fromstring(text).iter(f"{SVG}text"))


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any flow that contracts of up to twelve steps may have, broken ones included."""
    names = [f"step{number}" for number in range(draw(st.integers(1, 12)))]
    events = [f"Event{number}" for number in range(10)]
    some = st.lists(st.sampled_from([*events, "Failure"]), max_size=3, unique=True)
    view = {"type": "record", "fields": [{"name": "x", "type": "int"}, {"name": "a_long_name_of_it", "type": "int"}]}
    parties = []
    for name in names:
        read = draw(st.lists(st.sampled_from([*names, "ghost"]), max_size=3, unique=True))
        party = StepContract(
            workflow="ticket",
            step=name,
            on=tuple(draw(some)),
            emits=dict.fromkeys(draw(some), "R"),
            fails=draw(st.sampled_from([f"{name}.failed", "Failure"])),
            ends=tuple(draw(some)),
            reads=dict.fromkeys(read, view),
            optional=frozenset(read[:1]),
            versions=(),
            file=Path("step.json"),
        )
        parties.append(party)
    return flow(Graph.of("ticket", parties))


class TestSvg:
    """The drawing."""

    @given(flows())
    @settings(max_examples=60)
    def test_no_box_lies_on_another_and_all_is_on_the_page(self, drawing):
        geometry = Geometry(drawing)
        width, height = geometry.size
        boxes = geometry.boxes.values()
        assert len(boxes) == len(drawing.steps) + len(drawing.events)
        for one, other in combinations(boxes, 2):
            apart = one.x + one.width < other.x or other.x + other.width < one.x
            assert apart or one.bottom < other.y or other.bottom < one.y
        points = [point for path in geometry.paths for point in path.points]
        corners = [corner for box in boxes for corner in ((box.x, box.y), (box.x + box.width, box.bottom))]
        assert all(0 < x < width and 0 < y < height for x, y in (*points, *corners))

    @given(flows())
    @settings(max_examples=60)
    def test_lines_that_go_round_pass_beside_boxes(self, drawing):
        geometry = Geometry(drawing)
        for path in geometry.paths:
            for one, other in pairwise(path.points):
                for box in geometry.boxes.values():
                    assert not _crosses(one, other, box)

    @given(flows())
    @settings(max_examples=60)
    def test_every_event_that_is_heard_has_a_way_to_who_listens(self, drawing):
        geometry = Geometry(drawing)
        boxes = geometry.boxes
        arrived = {curve.end for curve in geometry.curves} | {path.points[-1] for path in geometry.paths}
        for step in drawing.steps:
            box = boxes[f"step {step.name}"]
            heard = any(step.name in event.listeners for event in drawing.events)
            reads = any(read.producer not in drawing.missing for read in step.reads)
            at_top = any(box.x <= x <= box.x + box.width and y == box.y for x, y in arrived)
            assert at_top is (heard or reads)

    @given(flows())
    @settings(max_examples=30)
    def test_it_is_well_formed_and_the_same_each_time(self, drawing):
        text = graph_svg.render(drawing)
        root = ET.fromstring(text)
        assert text == graph_svg.render(drawing)
        names = {"".join(each.itertext()).strip() for each in root.iter(f"{SVG}text")}
        assert names >= {step.name for step in drawing.steps} | {event.name for event in drawing.events}
        assert "nan" not in text

    def test_text_fits_its_card(self):
        for step in drawn(BROKEN).steps:
            made = card(step, drawn(BROKEN))
            assert all(
                len(f"{line.who} {line.text}".strip()) * 11 * 0.602 + 24 + 12 <= made.width for line in made.lines
            )

    def test_a_chain_is_straight_and_what_ends_is_beside_it(self, root):
        contracts = read_folder(root / "schemas")
        boxes = Geometry(flow(Graph.of("ticket", contracts.of("ticket").values()))).boxes
        middle = boxes["step ticket"].centre
        off = {name for name, box in boxes.items() if abs(box.centre - middle) > 1}
        assert off == {"event TicketRejected"}

    def test_it_fits_a_light_page_and_a_dark_one(self):
        text = graph_svg.render(drawn(FLOW))
        light, _, dark = text.partition("@media (prefers-color-scheme: dark)")
        names = re.findall(r"--(\w+):", light)
        assert names == re.findall(r"--(\w+):", dark)
        assert set(re.findall(r"var\(--(\w+)\)", text)) <= set(names)
        assert not re.search(r"#[0-9a-f]{6}", text.partition("</style>")[0].split("\n", 5)[-1].partition(".page")[2])


def _crosses(one: tuple[float, float], other: tuple[float, float], box: Any) -> bool:
    """Tell whether a line that runs along an axis passes through the inside of a box."""
    (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return left < box.x + box.width and right > box.x and top < box.bottom and bottom > box.y


class TestLayout:
    """Rows of boxes."""

    @given(st.lists(st.lists(st.integers(10, 300), min_size=1, max_size=6), min_size=1, max_size=5), st.data())
    @settings(max_examples=100)
    def test_boxes_of_a_row_are_apart(self, rows, data):
        names = [[f"{row}.{at}" for at in range(len(widths))] for row, widths in enumerate(rows)]
        width = {f"{row}.{at}": float(each) for row, widths in enumerate(rows) for at, each in enumerate(widths)}
        links = list(_links(names, data))
        found = centres(names, links, width, gap=20)
        assert found.keys() == width.keys()
        for row in names:
            ordered = sorted(row, key=found.__getitem__)
            for one, other in pairwise(ordered):
                assert found[other] - found[one] >= (width[one] + width[other]) / 2 + 20 - 1e-6

    def test_a_parent_is_in_the_middle_of_its_children(self):
        links = [Link("a", "b"), Link("a", "c"), Link("a", "d")]
        found = centres([["a"], ["b", "c", "d"]], links, {"a": 80, "b": 100, "c": 100, "d": 100}, gap=20)
        assert found["a"] == pytest.approx(found["c"], abs=1)
        assert found["d"] - found["b"] == pytest.approx(240)

    def test_lines_do_not_cross_without_need(self):
        found = centres([["a", "b"], ["c", "d"]], [Link("a", "d"), Link("b", "c")], dict.fromkeys("abcd", 50.0), gap=20)
        assert (found["a"] < found["b"]) is (found["d"] < found["c"])


def _links(names: list[list[str]], data: st.DataObject) -> Iterator[Link]:
    for above, below in pairwise(names):
        for name in below:
            yield from (Link(each, name) for each in data.draw(st.lists(st.sampled_from(above), max_size=2)))


def test_the_drawing_of_the_example_is_the_one_that_is_made(root, stamp):
    made = stamp("graph", root / "schemas", "--workflow", "ticket", "--format", "svg").stdout
    assert (root / "examples" / "ticket" / "flow.svg").read_text(encoding="utf-8") == made, (
        "run `stamp graph --format svg > examples/ticket/flow.svg`"
    )


def test_nothing_heavy_is_imported():
    program = "import sys, stamp.cli.graph, stamp.cli.render.graph_svg; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert {"rich", "kombu", "sqlalchemy", "pydantic", "fastavro"}.isdisjoint(done.stdout.split())

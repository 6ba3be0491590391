"""How many bytes an envelope takes, against the same content as compact JSON: `python tests/bench/sizes.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))

from examples.ticket import intake, ticket  # noqa: E402 - only now the examples can be found
from stamp import Envelope  # noqa: E402
from stamp.envelope import document  # noqa: E402
from stamp.testing import Simulation  # noqa: E402

FRAME = (
    "step",
    "event",
    "outcome",
    "event_id",
    "causes",
    "schema",
    "received_at",
    "completed_at",
    "attributes",
    "data",
)


def as_json(envelope: Envelope) -> bytes:
    """Return the content of an envelope as compact JSON: ids in hex, times in ISO 8601, nothing that can be derived."""
    whole: dict[str, Any] = document(envelope)
    said = {key: whole[key] for key in ("workflow", "workflow_id", "started_at", "attributes")}
    said["contributions"] = [{key: each[key] for key in FRAME} for each in whole["contributions"]]
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def main() -> None:
    simulation = Simulation(ticket)
    lines = (ROOT / "examples" / "ticket" / "tickets.jsonl").read_text(encoding="utf-8").strip().split("\n")
    runs = [json.loads(line)["workflow_id"] for line in lines]
    for run, line in zip(runs, lines, strict=True):
        simulation.start(intake.Ticket.model_validate_json(line), workflow_id=run)
    simulation.run()
    finals = [simulation.final(run) for run in runs]
    whole = [final for final in finals if final.contributions[-1].event == "SurveyAnswered"]
    ours, theirs = sum(len(bytes(each)) for each in whole), sum(len(as_json(each)) for each in whole)
    payloads = sum(len(part.payload) for each in whole for part in each.contributions)
    parts = sum(len(each.contributions) for each in whole)
    head = sum(len(bytes(each.at(0))) - len(each.contributions[0].payload) for each in whole)
    framing = (ours - payloads - head) / (parts - len(whole))
    print(f"{len(whole)} final events of {parts // len(whole)} contributions: {ours / len(whole):.0f} bytes each")
    print(
        f"compact JSON with the same content: {theirs / len(whole):.0f} bytes, ratio {ours / theirs:.2f} (aim: at most 0.65)"
    )
    print(f"framing of a contribution: {framing:.0f} bytes (aim: at most 110)")


if __name__ == "__main__":
    main()

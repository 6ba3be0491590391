"""Small workflows written down briefly: what rules are explained and tested with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["files"]


def files(steps: Mapping[str, Mapping[str, Any]], *, workflow: str = "ticket") -> dict[str, bytes]:
    """Return the files of a contracts folder, by their names in it.

    A step is what its `step.json` says, but that `reads` gives for each step the fields of the view, and `writes` the fields of each
    version (`{"Validated.v1": {"priority": "string"}}`). Fields are `{name: type}`, or a list as in Avro.
    """
    found: dict[str, Any] = {}
    for step, said in steps.items():
        home = f"{workflow}/{step}"
        reads = said.get("reads", {})
        own = {key: value for key, value in said.items() if key not in {"reads", "writes"}}
        declared = {"workflow": workflow, "step": step, "on": [], "emits": {}} | own
        found[f"{home}/step.json"] = declared | {"reads": {name: f"reads/{name}.avsc" for name in reads}}
        for version, fields in said.get("writes", {}).items():
            found[f"{home}/{version}.avsc"] = _record(version.partition(".")[0], f"{workflow}.{step}", fields)
        for name, fields in reads.items():
            found[f"{home}/reads/{name}.avsc"] = _record("View", f"{workflow}.{name}", fields)
    return {name: json.dumps(value, indent=2).encode() for name, value in found.items()}


def _record(name: str, namespace: str, fields: Any) -> dict[str, Any]:
    listed = [{"name": field, "type": type_} for field, type_ in fields.items()] if isinstance(fields, dict) else fields
    return {"type": "record", "name": name, "namespace": namespace.replace("-", "_"), "fields": listed}

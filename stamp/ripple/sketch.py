"""Contracts as they would be after a step of advice: a copy that can be changed, of which nothing is written to disk."""

from __future__ import annotations

import json
from typing import Any

from stamp.ripple.contracts import Contracts, contracts_of
from stamp.workflow.declaration import FILE, reads_file

__all__ = ["Sketch"]


class Sketch:
    """The contracts of one workflow, changed step by step."""

    def __init__(self, contracts: Contracts, workflow: str) -> None:
        self._like, self._workflow = contracts, workflow
        self._texts = {
            f"{workflow}/{step}/{name}": file.text
            for (of, step), files in contracts.files.items()
            if of == workflow
            for name, file in files.items()
        }

    def contracts(self) -> Contracts:
        """Return the contracts as they are by now.

        Raises:
            ContractError, SchemaError: they contradict themselves.
        """
        return contracts_of(self._texts, name="the step before", like=self._like)

    def said(self, step: str) -> dict[str, Any]:
        """Return what the `step.json` of a step says."""
        said: dict[str, Any] = json.loads(self._texts[self._file(step, FILE)])
        return said

    def say(self, step: str, **changed: Any) -> None:
        """Let the `step.json` of a step say something else; what is empty goes where it may."""
        said = self.said(step) | changed
        self._put(self._file(step, FILE), {key: value for key, value in said.items() if value or key not in _LEFT_OUT})

    def view(self, step: str, producer: str) -> Any:
        """Return the schema of the view through which a step reads another one."""
        return json.loads(self._texts[self._file(step, reads_file(producer))])

    def read(self, step: str, producer: str, view: Any) -> None:
        """Let a step read another one through a view."""
        self._put(self._file(step, reads_file(producer)), view)

    def _file(self, step: str, name: str) -> str:
        return f"{self._workflow}/{step}/{name}"

    def _put(self, file: str, value: Any) -> None:
        self._texts[file] = json.dumps(value).encode()


_LEFT_OUT = frozenset({"ends", "optional", "reads", "retired"})

"""The playing of one input: every line becomes a run, a bad line, or both a run and what a step of it could not process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from stamp.cli.blame import described, on_line
from stamp.cli.lines import Line, lines
from stamp.cli.rejects import Rejects
from stamp.cli.starts import LINE_OF_A_BYTE, Starts
from stamp.errors import StampError
from stamp.runtime.player import Parked, Waiting, play
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.wiring import reachable
from stamp.workflow.workflow import Workflow

__all__ = ["Playing", "Tally"]


@dataclass(slots=True)
class Tally:
    """What became of an input.

    `silent` are runs whose last step publishes nothing, `waiting` counts events for steps that are not here, by these steps, and `behind`
    are steps that are not here either and would come after them; `bytes` are those of the final events.
    """

    runs: int = 0
    bad_lines: int = 0
    parked: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    behind: tuple[str, ...] = ()
    silent: int = 0
    bytes: int = 0
    finals: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """How much of the input did not come to its end."""
        return self.bad_lines + self.parked + self.waiting.total()


class Playing:
    """Plays one input. What cannot be played is told to `report`, and goes to `rejects`."""

    def __init__(
        self, workflow: Workflow, starts: Starts, rejects: Rejects, *, name: str, report: Callable[[str], None]
    ) -> None:
        self.tally = Tally()
        self._workflow, self._starts, self._rejects = workflow, starts, rejects
        self._name, self._report = name, report
        self._line: Line
        self._ends = 0

    def finals(self, stream: IO[bytes]) -> Iterator[bytes]:
        """Yield the body of each final event."""
        for each in play(self._workflow, self._first_events(stream)):
            self._ends += 1
            if isinstance(each, Parked):
                self._park(each)
            elif isinstance(each, Waiting):
                self.tally.waiting[each.step] += 1
                self._rejects.message(
                    self._line, each, f"the code of the step {each.step!r} is in no module of this play"
                )
            else:
                self.tally.finals[each.event] += 1
                self.tally.bytes += len(each.body)
                yield each.body
        self.tally.behind = tuple(self._behind())

    def _behind(self) -> Iterator[str]:
        """Yield the steps that are not here and that only steps that are not here lead to."""
        waiting = self.tally.waiting
        for name in reachable(self._workflow.parties, waiting, lambda party: party.publishes):
            if name not in self._workflow.steps and name not in waiting:
                yield name

    def _first_events(self, stream: IO[bytes]) -> Iterator[Outgoing]:
        for line in lines(stream, LINE_OF_A_BYTE * self._workflow.limits.contribution):
            self._line = line
            try:
                first = self._starts.start(line)
            except Exception as error:  # noqa: BLE001 - validators of a model raise what they like: it is told, and the others go on
                self.tally.bad_lines += 1
                self._report(str(self._placed(error)))
                self._rejects.line(line, str(described(error)))
            else:
                self.tally.runs += 1
                self._ends = 0
                yield first  # and the run is over when the next one is asked for
                self.tally.silent += not self._ends

    def _park(self, parked: Parked) -> None:
        self.tally.parked += 1
        said = described(parked.error)
        self._report(f"{self._placed(said)} (the step {parked.step}, on {parked.event})")
        self._rejects.message(self._line, parked, str(said))

    def _placed(self, error: Exception) -> StampError:
        return on_line(error, self._name, self._line.number)

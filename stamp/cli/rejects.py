"""What could not be played, in a form that it can be mended in.

One JSON object a line: `line` is the number in the input and `error` what is wrong. `text` is the line as it was, and what to
mend and play again; a line that is not UTF-8, or too long to be read at once, is there as `base64`. What a step did not process has
also `workflow_id`, `step`, `event` and the `body` of the envelope as it arrived, in base64, as `stamp decode` takes it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from stamp.cli.lines import Line
from stamp.cli.whole_file import WholeFile
from stamp.runtime.player import Parked, Waiting

__all__ = ["Rejects"]


class Rejects:
    """Writes rejected lines and messages to `file`, which is not created without any."""

    def __init__(self, file: WholeFile) -> None:
        self._file = file

    def line(self, line: Line, error: str) -> None:
        """Write a line for which there is no run."""
        self._write({"line": line.number, "error": error}, line)

    def message(self, line: Line, message: Parked | Waiting, error: str) -> None:
        """Write an event of the run that `line` started which a step did not process."""
        run = {"workflow_id": message.workflow_id, "step": message.step, "event": message.event}
        body = b64encode(message.body).decode()
        self._write({"line": line.number, "error": error, **run, "body": body}, line)

    def _write(self, fields: dict[str, Any], line: Line) -> None:
        stream = self._file.stream
        stream.write(json.dumps(fields, ensure_ascii=False).removesuffix("}").encode("utf-8", "backslashreplace"))
        for part in _original(line):
            stream.write(part)
        stream.write(b"}\n")


def _original(line: Line) -> Iterator[bytes]:
    """Yield the member that has the line itself, in pieces: a line may be larger than memory."""
    if not line.is_too_long:
        try:
            text = json.dumps(line.data.decode(), ensure_ascii=False)
        except UnicodeDecodeError:
            pass  # as bytes, then
        else:
            yield f', "text": {text}'.encode()
            return
    yield b', "base64": "'
    yield from _base64(chain((line.data,), line.rest))
    yield b'"'


def _base64(chunks: Iterable[bytes]) -> Iterator[bytes]:
    left = b""
    for chunk in chunks:
        left += chunk
        whole = len(left) // 3 * 3
        yield b64encode(left[:whole])
        left = left[whole:]
    yield b64encode(left)

"""The log of a worker: what Python's logging is told, as lines for people or for programs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from stamp.cli.render.visible import visible

__all__ = ["FORMATS", "LEVELS", "configure"]

FORMATS: Final = ("text", "json")
LEVELS: Final = ("debug", "info", "warning", "error")

MARK: Final = "  | "
"""How a line of a traceback begins."""

CLIENTS: Final = ("amqp", "kombu", "boto3", "botocore", "urllib3", "psycopg", "sqlalchemy")
"""Libraries that tell every frame or request at a lower level, with headers by which somebody may log in."""

_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest is what somebody wanted said."""


def configure(form: str, level: str) -> None:
    """Write log records of `level` and above to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in CLIENTS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _USUAL}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class _Text(logging.Formatter):
    """One line a record, whatever somebody has put into a name; below it the lines of a traceback, marked: what an exception says is no record, nor a command."""

    def format(self, record: logging.LogRecord) -> str:
        said = "".join(f" {name}={value}" for name, value in _fields(record).items())
        text = visible(f"{_time(record)} {record.levelname.lower():<8} {record.name} {record.getMessage()}{said}")
        if record.exc_info:
            text += "".join(f"\n{MARK}{visible(line)}" for line in self.formatException(record.exc_info).split("\n"))
        return text


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = _fields(record) | {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)

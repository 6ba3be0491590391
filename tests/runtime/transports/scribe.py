"""A process that writes documents into a directory, and lives on: `scribe.py RECIPE WORKFLOW DOCUMENTS`."""

from __future__ import annotations

import json
import signal
import sys
from pkgutil import resolve_name


def main(recipe: str, workflow: str, documents: str) -> None:
    factory, arguments, options = json.loads(recipe)
    directory = resolve_name(factory)(*arguments, **options).directory(workflow)
    directory.write(json.loads(documents))
    sys.stdout.write("done\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])

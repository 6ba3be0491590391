"""How many real schema files are read, and what is refused.

    git clone --bare https://github.com/apache/avro /somewhere/avro.git        # and others
    python tests/campaign/real_schemas.py /somewhere/*.git

Takes every `.avsc` file of HEAD in each git directory. Of each that is accepted, data are decoded by us and by fastavro, and must be the same.
Nothing of it becomes part of this repository.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import avro.schema
import fastavro

from stamp.compat import check, read_source
from stamp.compat.proof import samples
from stamp.errors import StampError
from stamp.schema.decoder import decoder_of
from stamp.schema.document import parse
from stamp.schema.lint import lint

SAMPLES = 50
"""How many data of each schema are compared."""


def git(repository: str, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True).stdout


def schemas(repository: str) -> Iterator[tuple[str, bytes]]:
    for name in git(repository, "ls-tree", "-r", "-z", "--name-only", "HEAD").decode().split("\0"):
        if name.endswith(".avsc"):
            yield name, git(repository, "show", f"HEAD:{name}")


READERS: dict[str, Callable[[bytes], Any]] = {
    "check": lambda text: check(text, text),
    "catalog": lambda text: lint(parse(text)),
    "catalog, recursion allowed": lambda text: lint(parse(text), recursion=True),
    "fastavro": lambda text: fastavro.parse_schema(json.loads(text)),
    "avro": lambda text: avro.schema.parse(text.decode()),
}


def refusal(read: Callable[[bytes], Any], text: bytes) -> str:
    """Return why a reader refuses a schema; what other libraries raise is of any kind."""
    try:
        read(text)
    except Exception as error:  # noqa: BLE001 - the outcome is what is asked
        return f"{type(error).__name__}: {error}".replace("\n", " ")
    return ""


def compared(text: bytes) -> int:
    """Return how many data of a schema fastavro reads as ours are read; one that it reads otherwise is an error."""
    source = read_source(text)
    parsed = fastavro.parse_schema(json.loads(text))
    decode = decoder_of(source.root, source.root)
    count = 0
    for sample in islice(samples(source, source, budget=5_000), SAMPLES):
        theirs = fastavro.schemaless_reader(io.BytesIO(sample.data), parsed, None)
        assert repr(decode(sample.data)) == repr(theirs), sample.text
        count += 1
    return count


def main(repositories: list[str]) -> None:
    told: Counter[str] = Counter()
    for repository in repositories:
        for name, text in schemas(repository):
            told["files"] += 1
            refused = {reader: why for reader, read in READERS.items() if (why := refusal(read, text))}
            told.update(reader for reader in READERS if reader not in refused)
            if "check" not in refused and "fastavro" not in refused:
                try:
                    told["data that fastavro reads too"] += compared(text)
                except (StampError, AssertionError, ValueError, KeyError, TypeError, OverflowError) as error:
                    refused["fastavro, data"] = f"{type(error).__name__}: {error}"
            if refused:
                print(repository, name)
                print(*(f"    {reader}: {why:.240}" for reader, why in refused.items()), sep="\n")
    print(dict(told))


if __name__ == "__main__":
    main(sys.argv[1:])

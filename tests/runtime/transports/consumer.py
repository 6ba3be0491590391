"""A consumer in a process of its own, which takes messages and never acknowledges: `consumer.py RECIPE TOPOLOGY QUEUE COUNT`."""

from __future__ import annotations

import json
import sys
from pkgutil import resolve_name

from stamp.runtime.topology import Topology


def main(recipe: str, topology: str, queue: str, count: str) -> None:
    factory, arguments, options = json.loads(recipe)
    transport = resolve_name(factory)(*arguments, **options)
    receiver = transport.receiver(Topology.of(*json.loads(topology)), [queue], prefetch=int(count))
    taken = 0
    while True:
        taken += len(receiver.receive(1))
        if taken == int(count):
            sys.stdout.write("done\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Hostile schemas by the ten thousand: `python tests/hostile/schemas.py --count 44000 --seed 1`.

Random schemas, mutations of real ones, texts that are no JSON, towers and crowds of types, and code in every place that takes a text. Each is
parsed, linted, identified and made a decoder, for itself and for another schema as its reader; the decoder gets data and bytes that are none.

Nothing may come out but a result or an error of stamp's own. What was encoded is read back, and as fastavro reads it. The generated code
has no other names than its generator's, whatever a schema calls its parts: foreign text is in constants and comments alone, and nothing of it
runs. Time and memory stay within bounds that grow with the size of the schema, and no faster.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import copy
import io
import json
import math
import os
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import fastavro

from stamp.compat.datum import Branch, encode
from stamp.compat.sampler import Sampler
from stamp.errors import DecodeError, LimitError, ResolutionError, SchemaError, StampError
from stamp.schema import values
from stamp.schema.catalog import Catalog
from stamp.schema.decoder import decoder
from stamp.schema.decoding import Decoder
from stamp.schema.extent import visits
from stamp.schema.identity import fingerprint
from stamp.schema.lint import parse, problems
from stamp.schema.names import COMPLEX
from stamp.schema.types import LOGICAL, Type, load

ROOT: Final = Path(__file__).parents[2]
VECTORS: Final = ROOT / "tests" / "vectors" / "avro-resolution-cases.jsonl"

LEAST: Final = 0.100
"""Seconds that any schema may take for one act, however small it is."""

EACH: Final = 0.001
"""Seconds more for each value of its JSON: twice what a field takes that is read."""

MOST: Final = 128 * 1024
"""KiB of memory that a run may take beyond what was there before."""

DATA: Final = 8
"""How many data and how many other bytes each decoder gets."""

Schema = Any


# -- what is real


@cache
def corpus() -> Sequence[str]:
    """Return real schemas, as JSON text."""
    files = [*ROOT.glob("schemas/**/*.avsc"), *ROOT.glob("stamp/**/*.avsc"), *ROOT.glob("examples/**/*.avsc")]
    cases = map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines())
    found = [json.loads(file.read_bytes()) for file in files]
    found += [case[side] for case in cases for side in ("writer", "reader")]
    return [json.dumps(each) for each in found if not isinstance(each, str)]


# -- what is nasty

MARK: Final = "stamp_hostile_was_here"
"""What code says that should never run."""

CODE: Final = (
    f"__import__('builtins').{MARK} = 1",
    f"'); __import__('builtins').{MARK} = 1 #",
    f'"); __import__("builtins").{MARK} = 1 #',
    f"\n__import__('builtins').{MARK} = 1\n",
    f"\r    __import__('builtins').{MARK} = 1\r",
    f"\f\v\x1c\u2028\u2029\x85__import__('builtins').{MARK} = 1",
    f"\\'\\\"\\\n__import__('builtins').{MARK} = 1",
    f"'''\n__import__('builtins').{MARK} = 1\n'''",
    f'"""\n__import__("builtins").{MARK} = 1\n"""',
    f"{{__import__('builtins').__setattr__('{MARK}', 1)}}",
    "\\N{LATIN SMALL LETTER A}\\x27\\u0027",
    "%s%d%n{0}{name!r:>1000000000}",
    "\x00",
    "\U0001f600\u202e\u200b",
    "日本語",
)

NAMES: Final = (
    *("b", "p", "end", "d", "n", "e", "v0", "v1", "read_0", "skip_0", "i1", "k1", "count1", "stop1", "start1", "_"),
    *("block", "int_tail", "long_tail", "too_long", "MalformedError", "UnreadableError", "DEFAULT_1", "SYMBOLS_1"),
    *("class", "def", "None", "True", "lambda", "import", "self", "cls", "__class__", "__init__", "__builtins__"),
    *("decode", "get", "append", "range", "float", "exec", "__import__", "__debug__", "mro", "name", "type", "fields"),
    *("record", "enum", "fixed", "array", "map", "error", "null", "long", "string", "union", "stamp"),
    "x" * 5000,
)
"""Legal names that mean something elsewhere."""

NUMBERS: Final = (0, 1, -1, 2, 31, 32, 33, 255, 65_536, 65_537, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, 0.5, True)

DOCUMENTS: Final[Sequence[Any]] = (
    *("", ".", "..a", "a.", "a..b", "long", "record", None, True, [], {}, [[]], ["null", ["null"]]),
    *({"type": {}}, {"type": []}, {"type": None}, {"type": {"type": {"type": "long"}}}, ["null", "null"]),
    {"type": "array", "items": "null"},
    {"type": "map", "values": "null"},
    {"type": "fixed", "name": "F", "size": 0},
    {"type": "enum", "name": "E", "symbols": []},
    {"type": "record", "name": "R", "fields": []},
    {"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]},
    {"type": "record", "name": "R", "fields": [{"name": "r", "type": ["null", "R"], "default": None}]},
    {"type": "record", "name": "R", "fields": [{"name": "r", "type": {"type": "array", "items": "R"}, "default": []}]},
    {"type": "record", "name": "R", "fields": [{"name": "r", "type": ["R", "null"], "default": {}}]},
)

KEYS: Final = (
    *(
        "type",
        "name",
        "namespace",
        "fields",
        "items",
        "values",
        "symbols",
        "size",
        "default",
        "aliases",
        "doc",
        "order",
    ),
    *("logicalType", "precision", "scale", "stamp"),
)


def text(random: Random) -> str:
    return random.choice(
        (random.choice((*CODE, "\ud800")), random.choice(NAMES), f"a.{random.choice(NAMES)}", random.choice(CODE) * 40)
    )


def leaf(random: Random) -> Any:
    """Return some JSON that fits nearly nowhere."""
    return random.choice(
        (
            text,
            lambda _: random.choice(NUMBERS),
            lambda _: copy.deepcopy(random.choice(DOCUMENTS)),
            lambda _: random.choice((*LOGICAL, "colour")),
            lambda _: random.choice(("null", "boolean", "int", "long", "float", "double", "bytes", "string")),
            lambda _: json.loads(random.choice(corpus())),
        )
    )(random)


# -- legal schemas with names from hell


class Author:
    """Writes a schema that is meant to be legal: with as many fields and levels as `random` wants."""

    def __init__(self, random: Random) -> None:
        self.random, self.count, self.named = random, 0, list[str]()

    def name(self) -> str:
        self.count += 1
        stem = self.random.choice(NAMES[:-1])
        return stem if stem not in self.named and self.random.randrange(3) else f"{stem}_{self.count}"

    def head(self, kind: str) -> dict[str, Any]:
        name = self.name()
        head: dict[str, Any] = {"type": kind, "name": name, "namespace": ""}
        self.named.append(name)
        if self.random.randrange(4) == 0:
            head["doc"] = self.random.choice(CODE)
        if self.random.randrange(4) == 0:
            head["aliases"] = [self.name()]
        if self.random.randrange(6) == 0:
            head["code"] = self.random.choice(CODE)
        return head

    def schema(self, depth: int) -> Schema:
        kinds: list[Callable[[int], Schema]] = [self.primitive, self.logical, self.enum, self.fixed, self.reference]
        if depth > 0:
            kinds += [self.record, self.record, self.record, self.array, self.map, self.union]
        return self.random.choice(kinds)(depth - 1)

    def primitive(self, _: int) -> Schema:
        return self.random.choice(("boolean", "int", "long", "float", "double", "bytes", "string"))

    def logical(self, _: int) -> Schema:
        name = self.random.choice([*LOGICAL])
        kind = self.random.choice(sorted(LOGICAL[name]))
        if kind == "fixed":
            return self.head("fixed") | {
                "size": {"uuid": 16, "duration": 12}.get(name, 9),
                "logicalType": name,
                "precision": 9,
            }
        return {"type": kind, "logicalType": name, "precision": self.random.choice((1, 9, 1000)), "scale": 1}

    def enum(self, _: int) -> Schema:
        symbols = list(dict.fromkeys(self.name() for _ in range(self.size(300))))
        return self.head("enum") | {"symbols": symbols} | self.random.choice(({}, {"default": symbols[0]}))

    def fixed(self, _: int) -> Schema:
        return self.head("fixed") | {"size": self.random.choice((1, 16, 1000))}

    def reference(self, depth: int) -> Schema:
        return self.random.choice(self.named) if self.named else self.primitive(depth)

    def array(self, depth: int) -> Schema:
        return {"type": "array", "items": self.schema(depth)}

    def map(self, depth: int) -> Schema:
        return {"type": "map", "values": self.schema(depth)}

    def union(self, depth: int) -> Schema:
        branches = [self.schema(depth) for _ in range(self.size(20))]
        flat = [each for each in branches if not isinstance(each, list)]
        return self.random.sample(["null", *flat], len(flat) + 1)

    def record(self, depth: int) -> Schema:
        head = self.head("record")
        fields: dict[str, Any] = {}
        for _ in range(self.size(60)):
            name = self.name()
            fields[name] = {"name": name, "type": self.schema(depth)} | self.extra(name)
        return head | {"fields": list(fields.values())}

    def extra(self, name: str) -> dict[str, Any]:
        code = self.random.choice(CODE)
        return self.random.choice(
            (
                {},
                {},
                {"doc": code},
                {"aliases": [f"{name}_old"]},
                {"order": "ignore", code: code},
                {"type": "string", "default": code},
                {"type": "bytes", "default": code.encode("utf-8", "replace").decode("latin-1")},
                {"type": {"type": "map", "values": "string"}, "default": {code: "x"}},
                {"type": ["null", "string"], "default": None},
                {"type": {"type": "array", "items": "string"}, "default": [code]},
            )
        )

    def size(self, most: int) -> int:
        """Return a number from 1 to `most`, more often a small one."""
        return round(math.exp(self.random.random() ** 2 * math.log(most)))


def lawful(random: Random) -> Schema:
    author = Author(random)
    return random.choice((author.record, author.record, author.schema))(random.choice((1, 2, 2, 3)))


# -- mutations


def places(node: Any) -> list[tuple[Any, Any]]:
    """Return every place in JSON values that can be set: what holds it, and its key or number."""
    found: list[tuple[Any, Any]] = []
    stack = [node]
    while stack:
        each = stack.pop()
        inside = (
            list(each.items()) if isinstance(each, dict) else list(enumerate(each)) if isinstance(each, list) else []
        )
        found += [(each, key) for key, _ in inside]
        stack += [value for _, value in inside]
    return found


def change(random: Random, root: list[Any]) -> None:
    """Change one place of the only item of `root`."""
    found = places(root)
    holder, key = random.choice(found)
    act = random.randrange(8)
    if act == 0:
        holder[key] = leaf(random)
    elif act == 1 and len(found) > 1:
        other, its = random.choice(found)
        holder[key] = copy.deepcopy(other[its])
    elif act == 2 and isinstance(holder, dict):
        holder[random.choice(KEYS)] = leaf(random)
    elif act == 3 and holder is not root:
        del holder[key]
    elif act == 4 and isinstance(holder, list) and holder is not root:
        holder[key:key] = copy.deepcopy(holder[key:]) * random.choice((1, 2, 50))
    elif act == 5:
        holder[key] = random.choice(([holder[key]], ["null", holder[key]], {"type": holder[key]}))
    elif act == 6 and isinstance(holder[key], str):
        holder[key] = random.choice((text(random), holder[key] + text(random), holder[key] * random.choice((2, 1000))))
    else:
        holder[key] = text(random)


def mutated(random: Random) -> Schema:
    root = [json.loads(random.choice(corpus())) if random.randrange(3) else lawful(random)]
    for _ in range(random.choice((1, 1, 2, 4))):
        change(random, root)
    return root[0]


def renamed(random: Random) -> Schema:
    """Return a real schema with code in place of one of its texts, everywhere."""
    root = [json.loads(random.choice(corpus()))]
    texts = sorted({holder[key] for holder, key in places(root) if isinstance(holder[key], str)})
    if texts:
        old, new = random.choice(texts), text(random)
        for holder, key in places(root):
            if holder[key] == old:
                holder[key] = new
    return root[0]


# -- towers and crowds


def wrapped(kind: str, inner: Schema, number: int) -> Schema:
    match kind:
        case "array":
            return {"type": "array", "items": inner}
        case "map":
            return {"type": "map", "values": inner}
        case "union":
            return ["null", inner]
        case "type":
            return {"type": inner}
        case _:
            return {"type": "record", "name": f"R{number}", "fields": [{"name": "f", "type": inner}]}


def tower(random: Random) -> Schema:
    kinds = random.choice(
        (("array",), ("map",), ("union",), ("type",), ("record",), ("record", "union", "array", "map"))
    )
    schema: Schema = "long"
    for number in range(random.choice((5, 15, 31, 32, 33, 40, 200, 900))):
        schema = wrapped(random.choice(kinds), schema, number)
    return schema


def crowd(random: Random) -> Schema:
    """Return many fields, branches, symbols or references, now and then one too many."""
    size = random.choice((50, 100, 200, 400)) if random.randrange(10) else random.choice((999, 1000, 1001, 3000))
    numbers = range(size)
    fixed = [{"type": "fixed", "name": f"F{number}", "size": 1} for number in numbers]
    enum = {"type": "enum", "name": "E", "symbols": [f"S{number}" for number in range(size * 10)]}
    leaf_type = random.choice(("long", ["null", "string"], {"type": "bytes", "logicalType": "decimal", "precision": 9}))
    fields = [{"name": f"f{number}", "type": leaf_type} for number in numbers]
    shapes: tuple[Schema, ...] = (
        {"type": "record", "name": "R", "fields": fields},
        ["null", *fixed],
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": ["null", *fixed]}]},
        enum,
        {
            "type": "record",
            "name": "R",
            "fields": [{"name": "a", "type": enum}, *({**each, "type": "E"} for each in fields)],
        },
        {
            "type": "record",
            "name": "R",
            "fields": [{**each, "aliases": [f"{each['name']}_{n}" for n in range(9)]} for each in fields],
        },
        {"type": "record", "name": "R", "fields": [{**each, "type": "string", "default": "x" * 99} for each in fields]},
        {"type": "record", "name": "R", "fields": [{**each, "type": "Nobody" * 40} for each in fields]},
        {"type": "record", "name": "R", "fields": [{"name": "f", "type": "long"}] * size},
        {"type": "record", "name": "R" * size * 100, "fields": fields[:50]},
    )
    return random.choice(shapes)


def laughs(random: Random) -> Schema:
    """Return records each of which contains the one before twice, and defaults that do."""
    with_default = random.randrange(2) == 0
    schema: Schema = {"type": "record", "name": "R0", "fields": [{"name": "f", "type": "long", "default": 1}]}
    for number in range(1, random.choice((3, 8, 12, 13, 20, 31))):
        first = {"name": "a", "type": schema}
        second: dict[str, Any] = {"name": "b", "type": f"R{number - 1}"}
        if with_default:
            first["default"], second["default"] = {}, {}
        schema = {"type": "record", "name": f"R{number}", "fields": [first, second]}
    return schema


def ring(random: Random) -> Schema:
    """Return records that contain each other, in arrays, maps, unions or barely."""
    size = random.choice((1, 2, 5, 20))
    schema: Schema = "R0"
    for number in reversed(range(size)):
        kind = random.choice(("array", "map", "union", "type", "bare", "bare"))
        inner = schema if kind == "bare" else wrapped(kind, schema, number)
        held = {"name": "f", "type": inner} | random.choice(({}, {"default": {}}, {"default": []}, {"default": None}))
        schema = {"type": "record", "name": f"R{number}", "fields": [held]}
    return schema


def oddity(random: Random) -> Schema:
    return leaf(random)


MAKERS: Final[Sequence[Callable[[Random], Schema]]] = (
    *(lawful,) * 60,
    *(mutated,) * 60,
    *(renamed,) * 30,
    *(tower, laughs, ring, oddity) * 3,
    crowd,
)


def spoilt(random: Random) -> bytes:
    """Return the text of a schema with some bytes changed."""
    data = bytearray(random.choice(corpus()).encode())
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(len(data) + 1)
        data[at : at + random.randrange(3)] = random.choice(
            (
                b"",
                b'"',
                b"{",
                b"[" * 3000,
                b"}",
                b",",
                b"\\ud800",
                b"NaN",
                b"9" * 5000,
                b"1e999",
                b"\xff",
                b"\0",
                b'"name":1,',
            )
        )
    return bytes(data)


# -- what is done with it


def size_of(schema: Any) -> int:
    """Return how many values there are in JSON, and one for each hundred characters of their texts."""
    count, stack = 0, [schema]
    while stack:
        each = stack.pop()
        count += 1
        if isinstance(each, dict):
            stack += [*each, *each.values()]
        elif isinstance(each, list):
            stack += each
        elif isinstance(each, str):
            count += len(each) // 100
    return count


WORDS: Final = frozenset(values.NAMESPACE) | {"range", "float", "b", "p", "end", "d", "n", "e", "v", "_"}
NUMBERED: Final = re.compile(r"(read|skip|v|n|k|i|e|count|stop|start|at|key)_?\d+|(DEFAULT|SYMBOLS|NAMES|ADAPT)_\d+")
METHODS: Final = frozenset({"decode", "get", "append"})


def foreign(source: str) -> Iterator[str]:
    """Yield what is in the code of a decoder that its generator does not write: names, attributes, imports, formatted texts."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                if name not in WORDS and not NUMBERED.fullmatch(name):
                    yield f"the name {name}"
            case ast.Attribute(attr=name):
                if name not in METHODS:
                    yield f"the attribute {name}"
            case ast.Import() | ast.ImportFrom() | ast.ClassDef() | ast.Lambda() | ast.JoinedStr() | ast.Global():
                yield type(node).__name__


class FoundError(Exception):
    """Something that must not be."""


@dataclass
class Trial:
    """One schema, and what is done with it; `budget` is how long each act may take, `slowest` how much of that was taken at most."""

    schema: Schema
    random: Random
    budget: float
    slowest: float = 0.0
    plain: Decoder | None = None

    def timed(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """Return what an act gives, and note how long it took; what takes too long is tried thrice, as machines pause."""
        start = time.process_time()
        try:
            return act(*arguments)
        finally:
            took = time.process_time() - start
            for _ in range(2):
                if took > self.budget:
                    start = time.process_time()
                    with suppress(StampError):
                        act(*arguments)
                    took = min(took, time.process_time() - start)
            self.slowest = max(self.slowest, took / self.budget)
            if took > self.budget:
                name = getattr(act, "__name__", type(act).__name__)
                raise FoundError(f"{name} took {took:.2f} s, at most {self.budget:.2f} s for a schema of this size")

    def outcome(self) -> str:
        found = self.timed(lambda schema: problems(schema, recursion=True), self.schema)
        if found:
            if any(len(str(each)) > 20_000 for each in found):
                raise FoundError("a message of more than 20,000 characters")
            return "refused"
        again = json.loads(json.dumps(self.schema))
        if self.timed(fingerprint, self.schema) != fingerprint(again):
            raise FoundError("another fingerprint after a round trip through JSON")
        if isinstance(self.schema, dict) and not problems(self.schema):
            self.timed(Catalog().with_schema, self.schema)
        own = self.timed(decoder, self.schema)
        self.inspect(own)
        root, second = load(self.schema), plainly(self.schema)
        self.plain = decoder(bare(self.schema))
        for data in self.data(root, own):
            self.read(own, data, second)
        self.resolve(root)
        return "accepted" if second is None else "accepted, by fastavro, too"

    def inspect(self, made: Decoder) -> None:
        if stranger := next(foreign(made.source), None):
            raise FoundError(f"{stranger} in generated code")
        if hasattr(builtins, MARK):
            raise FoundError("code of a schema has run")

    def data(self, root: Type, own: Decoder) -> Iterator[bytes]:
        """Yield data of the schema, after each its mutations, and some bytes by chance. A datum must be read."""
        for _ in range(DATA):
            datum = self.sampled(root)
            if datum is not None:
                data = encode(root, datum)
                if len(data) < 10_000:
                    self.round_trip(own, root, datum, data)
                    yield data
                    yield broken(self.random, data)
            yield self.random.randbytes(self.random.choice((0, 1, 2, 9, 60)))

    def sampled(self, root: Type) -> Any:
        def choose(_: Hashable, options: Sequence[Any]) -> Any:
            return self.random.choice(options)

        sampler = Sampler(root, root, choose)
        if sampler.size > 2_000:
            return None
        try:
            return sampler.datum()
        except LookupError:
            return None

    def round_trip(self, own: Decoder, root: Type, datum: Any, data: bytes) -> None:
        try:
            self.timed(own, data)
        except LimitError:
            return  # deeper than any reader goes
        except DecodeError as error:
            raise FoundError(f"what was encoded is not read: {error}") from error
        assert self.plain is not None
        plain, wanted = repr(self.plain(data)), repr(said(root, datum))
        if plain != wanted:
            raise FoundError(f"{wanted:.300} is read as {plain:.300}")

    def read(self, own: Decoder, data: bytes, second: Any) -> None:
        """Read bytes, and compare with fastavro what both read. What a decoder refuses is not given to fastavro, which may hang."""
        try:
            self.timed(own, data)
        except (DecodeError, LimitError):
            return
        if second is None:
            return
        assert self.plain is not None
        try:
            theirs = repr(fastavro.schemaless_reader(io.BytesIO(data), second, None))
        except (KeyError, IndexError):
            return  # it takes a reference for one of another namespace, or looks for a letter in an empty name
        ours = repr(self.plain(data))
        if ours != theirs:
            raise FoundError(f"{data[:200].hex()} is read as {ours:.300}, by fastavro as {theirs:.300}")

    def resolve(self, root: Type) -> None:
        """Have another schema read it, one that is much like it or not at all."""
        other = [copy.deepcopy(self.schema)]
        for _ in range(self.random.choice((1, 2))):
            change(self.random, other)
        if size_of(other) > 4 * size_of(self.schema) + 100 or problems(other[0], recursion=True):
            return
        for writer, reader in ((self.schema, other[0]), (other[0], self.schema)):
            try:
                made = self.timed(decoder, writer, reader)
            except ResolutionError:
                continue
            self.inspect(made)
            datum = self.sampled(root) if writer is self.schema else None
            known = [] if datum is None else [encode(root, datum)]
            for data in (*known, self.random.randbytes(9)):
                with suppress(DecodeError, LimitError, ResolutionError):
                    self.timed(made, data)


def broken(random: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(random.choice((1, 2))):
        at = random.randrange(len(changed) + 1)
        changed[at : at + random.randrange(3)] = random.choice(
            (b"", b"\0", b"\1", b"\x7f", b"\xff", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\1", random.randbytes(3))
        )
    return bytes(changed)


def bare(schema: Schema) -> Schema:
    """Return a schema without its logical types, which libraries show as values of their own."""
    if isinstance(schema, list):
        return [bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    stripped = {key: value for key, value in schema.items() if key not in {"logicalType", "stamp"}}
    for key in ("type", "items", "values"):
        if key in stripped:
            stripped[key] = bare(stripped[key])
    if isinstance(stripped.get("fields"), list):
        stripped["fields"] = [bare(each) for each in stripped["fields"]]
    return stripped


def plainly(schema: Schema) -> Any:
    """Return what fastavro makes of a schema without its logical types; None if it refuses that, in whichever way."""
    if COMPLEX & {each.name.rpartition(".")[2] for _, each, _ in visits(load(schema))}:
        return None  # it takes a reference to such a name for the built-in type
    try:
        return fastavro.parse_schema(bare(schema))
    except Exception:  # noqa: BLE001 - it raises what comes, and another library's trouble is not looked for here
        return None


def said(type_: Type, datum: Any) -> Any:
    """Return a datum as a decoder without logical types gives it."""
    if type_.kind == "union":
        return said(type_.branches[datum.number], datum.value) if isinstance(datum, Branch) else datum
    if type_.kind == "record":
        return {each.name: said(each.type, datum[each.name]) for each in type_.fields}
    if type_.items is not None:
        if type_.kind == "array":
            return [said(type_.items, each) for each in datum]
        return {key: said(type_.items, each) for key, each in datum.items()}
    if type_.kind == "float":
        return values.NAMESPACE["unpack_float"](encode(type_, datum))[0]
    return float(datum) if type_.kind == "double" else datum


# -- the campaign


@dataclass
class Summary:
    """What came of the schemas: how often what, the largest share of its time that one took, the KiB of memory, what should not have come out."""

    count: int
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    grown: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.findings and self.grown <= MOST


def made(seed: int, number: int) -> tuple[Schema | bytes, Random]:
    """Return the schema of a number, or a text that may be one, and the chance that goes on with it."""
    random = Random(f"{seed} {number}")
    return (spoilt(random) if random.randrange(12) == 0 else random.choice(MAKERS)(random)), random


def one(seed: int, number: int, summary: Summary) -> None:
    schema, random = made(seed, number)
    try:
        if isinstance(schema, bytes):
            try:
                schema = Trial(schema, random, LEAST).timed(parse, schema)
            except SchemaError:
                summary.outcomes["no JSON"] += 1
                return
        trial = Trial(schema, random, LEAST + EACH * size_of(schema))
        outcome = trial.outcome()
        summary.slowest = max(summary.slowest, trial.slowest)
    except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked for
        summary.findings.append(f"--seed {seed} --number {number}: {type(error).__name__}: {str(error)[:500]}")
        outcome = "came out"
    summary.outcomes[outcome] += 1


def run(count: int, seed: int) -> Summary:
    """Try `count` schemas."""
    summary, warm = Summary(count, seed), Summary(0, seed)
    for number in range(50):
        one(seed, -1 - number, warm)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        one(seed, number, summary)
    summary.grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return summary


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=44_000, help="how many schemas (default 44,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the schemas (default 1)")
    parser.add_argument("--number", type=int, help="show this one, and let what comes out come out")
    options = parser.parse_args()
    if options.number is not None:
        schema, random = made(options.seed, options.number)
        sys.stdout.write(f"{schema if isinstance(schema, bytes) else json.dumps(schema)}\n")
        schema = parse(schema) if isinstance(schema, bytes) else schema
        print(Trial(schema, random, LEAST + EACH * size_of(schema)).outcome())
        return 0
    began = time.perf_counter()
    summary = run(options.count, options.seed)
    for outcome, count in sorted(summary.outcomes.items()):
        print(f"{count:>9,}  {outcome}")
    for finding in summary.findings[:20]:
        print(f"python {os.path.relpath(__file__)} {finding}", file=sys.stderr)
    took = time.perf_counter() - began
    print(f"{summary.count:,} schemas in {took:.0f} s, seed {summary.seed}; {len(summary.findings)} findings")
    print(
        f"slowest {summary.slowest:.0%} of its time, {summary.grown / 1024:.1f} MiB more memory (at most {MOST >> 10})"
    )
    return 0 if summary.is_well else 1


if __name__ == "__main__":
    sys.exit(main())

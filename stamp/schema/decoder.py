"""Avro binary to Python values: one strict pass, in code written out for a pair of a writer and a reader schema.

Law: `decoder(writer, reader)` gives for every datum of the writer what Avro resolution says the reader sees, and for every other
sequence of bytes a `DecodeError` with path and offset. It reads each byte once, never past the end, builds nothing that the
reader does not have, and accepts one encoding of each number only: minimal varints in range, 0 or 1 for a boolean, symbol and
branch numbers that exist, UTF-8, distinct map keys, block sizes that are true, and nothing after the end. (The text of strings
that the reader skips is not looked at.)

The code of one pair is straight-line Python, one function a record; `Decoder.source` shows it. A table from its lines to field
names turns a traceback into the path of an error, so the normal case pays nothing for good messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from stamp.errors import ResolutionError
from stamp.schema import values
from stamp.schema.decoding import Decoder
from stamp.schema.defaults import encode_default, gives_value
from stamp.schema.document import shown
from stamp.schema.extent import is_weightless
from stamp.schema.limits import MAX_CODE, MAX_DEPTH, MAX_WEIGHTLESS
from stamp.schema.resolve import Readability, sources, why_not
from stamp.schema.types import MISSING, Field, Type, load
from stamp.schema.weight import Weights, counted

__all__ = ["decoder", "decoder_of"]

FINEST: Final = {"time-millis": 1000, "timestamp-millis": 1000, "local-timestamp-millis": 1000}


def decoder(writer: Any, reader: Any = None, *, as_root: bool = False) -> Decoder:
    """Return the decoder of data written with `writer`, seen as `reader`; as `writer` itself when that is None.

    Both are schemas in JSON form that have passed the lint. With `as_root` the names of the two outermost records may differ:
    a view is bound to what it reads by the step's name.

    Raises:
        ResolutionError: `reader` cannot read any datum of `writer`.
    """
    written = load(writer)
    wanted = written if reader is None else load(reader)
    if as_root and written.name:
        wanted.aliases |= {written.name}
    return decoder_of(written, wanted)


def decoder_of(writer: Type, reader: Type) -> Decoder:
    """Return what `decoder` does, for types that have been loaded.

    Raises:
        ResolutionError: `reader` cannot read any datum of `writer`.
    """
    return _Compiler().compile(writer, reader)


class _Compiler:
    """Writes the code: `_value` appends the lines that read one type, `_function` those of one record or root."""

    def __init__(self) -> None:
        self._readability = Readability()
        self._functions: dict[tuple[Type, Type | None], str] = {}
        self._tables: dict[tuple[Type, Type], tuple[str, Mapping[int, Any]]] = {}
        self._own: dict[Type, Decoder] = {}
        self._weights = Weights()
        self._values_per_byte = 0.0
        self._sizes: dict[str, int] = {}
        self._pending: list[tuple[str, Type, Type | None]] = []
        self._namespace: dict[str, Any] = dict(values.NAMESPACE)
        self._lines: list[str] = []
        self._paths: dict[str, dict[int, str]] = {}
        self._path: list[str] = []
        self._in = ""
        self._indent = 1
        self._loops = 0
        self._unique = 0

    def compile(self, writer: Type, reader: Type) -> Decoder:
        if writer.kind != "union" and reader.kind != "union" and (reason := why_not(writer, reader)):
            raise ResolutionError(reason)
        without_items = self._weights.values(reader)
        self._call(writer, reader)
        while self._pending:
            self._function(*self._pending.pop(0))
        return Decoder(
            "\n".join(self._lines) + "\n",
            self._namespace,
            self._paths,
            without_items=without_items,
            values_per_byte=self._values_per_byte,
            sizes=self._sizes,
        )

    def _bound_values(self, written: Iterable[Type], reader: Type) -> None:
        """Take into account that there may be as many of such values as there are bytes for."""
        self._values_per_byte = max(self._values_per_byte, self._weights.values_per_byte(written, reader))

    # -- text

    def _emit(self, *lines: str) -> None:
        for line in lines:
            self._lines.append("    " * self._indent + line)
            self._paths[self._in][len(self._lines)] = "".join(self._path)
        if len(self._lines) > MAX_CODE:
            raise ResolutionError(
                f"expected a decoder of at most {MAX_CODE} lines, got more: too many fields have one alias",
                path=self._where(),
            )

    def _where(self) -> str | None:
        return "".join(self._path).removeprefix(".") or None

    def _fresh(self, stem: str) -> str:
        self._unique += 1
        return f"{stem}{self._unique}"

    def _constant(self, stem: str, value: object) -> str:
        name = self._fresh(stem.upper() + "_")
        self._namespace[name] = value
        return name

    @contextmanager
    def _nested(self, segment: str = "") -> Iterator[None]:
        self._indent += 1
        self._path.append(segment)
        yield
        self._path.pop()
        self._indent -= 1

    # -- functions

    def _call(self, writer: Type, reader: Type | None) -> str:
        if (writer, reader) not in self._functions:
            name = f"{'skip' if reader is None else 'read'}_{len(self._functions)}"
            self._functions[writer, reader] = name
            self._pending.append((name, writer, reader))
        return self._functions[writer, reader]

    def _function(self, name: str, writer: Type, reader: Type | None) -> None:
        self._in, self._paths[name], self._path, self._indent, self._loops = name, {}, [], 0, 0
        self._sizes[name] = 0 if reader is None else 1 + len(reader.fields)
        if reader in self._weights.recursive and reader is not None:
            self._bound_values((writer,), reader)
        self._emit(f"def {name}(b, p, end, d):  # {writer.label!r}")
        self._indent = 1
        if writer.kind == "record" and (reader is None or reader.kind == "record"):
            self._emit(f"if d > {MAX_DEPTH}: raise TooDeepError")
            self._record(writer, reader)
        else:
            self._value(writer, reader, "v")
            self._emit("return None, p" if reader is None else "return v, p")

    def _record(self, writer: Type, reader: Type | None) -> None:
        wanted = () if reader is None else reader.fields
        taken = [] if reader is None else sources(reader, writer)
        variables = {each.name: f"v{number}" for number, each in enumerate(wanted)}
        for each in writer.fields:
            self._path = ["." + each.name]
            self._field(each, [(w, variables[w.name]) for w, source in taken if source is each])
        for each in (wanted for wanted, source in taken if source is None):
            self._path = ["." + each.name]
            self._default(each, writer, variables[each.name])
        self._path = []
        built = ", ".join(f"{each.name!r}: {variables[each.name]}" for each in wanted)
        self._emit("return None, p" if reader is None else f"return {{{built}}}, p")

    def _field(self, written: Field, readers: list[tuple[Field, str]]) -> None:
        if not readers:
            self._value(written.type, None, "_")
            return
        start = self._fresh("start")
        if len(readers) > 1:  # several fields of the reader have this one as their alias
            self._emit(f"{start} = p")
        for number, (wanted, target) in enumerate(readers):
            if number:
                self._emit(f"p = {start}")
            self._value(written.type, wanted.type, target)

    def _default(self, wanted: Field, writer: Type, target: str) -> None:
        if wanted.default is MISSING:
            self._refuse(
                f"the reader's field {wanted.name!r} has no default and {writer.label} does not have the field"
            )
            self._emit(f"{target} = None")
            return
        if not gives_value(wanted):
            self._refuse(
                f"{writer.label} does not have the reader's field {wanted.name!r}, and its default {shown(wanted.default)} "
                f"is no value of {wanted.type.label}"
            )
            self._emit(f"{target} = None")
            return
        data = encode_default(wanted.type, wanted.default)
        read = self._own.get(wanted.type)
        if read is None:
            read = self._own[wanted.type] = _Compiler().compile(wanted.type, wanted.type)
        value = read(data)
        if isinstance(value, values.IMMUTABLE):
            self._emit(f"{target} = {self._constant('default', value)}")
        else:  # a list or dict is the reader's own each time
            self._sizes[self._in] += counted(value) - 1
            self._emit(f"{target} = {self._constant('default', read)}({data!r})")

    def _refuse(self, reason: str) -> None:
        self._emit(f"raise UnreadableError({reason!r})")

    # -- values

    def _value(self, writer: Type, reader: Type | None, target: str) -> None:
        if writer.kind == "union":
            self._writer_union(writer, reader, target)
            return
        if reader is not None and reader.kind == "union":
            branch = self._readability.branch(writer, reader)
            if branch is None:
                self._refuse(f"{writer.label} cannot be read as any branch of {reader.label}")
                return
            reader = branch
        if reader is not None and (reason := why_not(writer, reader)):
            self._refuse(reason)
            return
        if writer.items is not None and self._loops:  # CPython nests no more than 20 blocks in a function
            self._emit(f"{target}, p = {self._call(writer, reader)}(b, p, end, d + 1)")
            return
        _READS[writer.kind](self, writer, reader, target)
        if reader is not None and reader.decode is not None and reader.kind != "enum":
            self._emit(f"{target} = {self._constant('adapt', reader.decode)}({target})")

    def _writer_union(self, writer: Type, reader: Type | None, target: str) -> None:
        n, known = self._fresh("n"), len(writer.branches)
        self._emit(f"{n} = b[p]; p += 1")
        if known > 64:
            self._emit(f"if {n} > 127: {n}, p = int_tail(b, p, {n})")
        for number, branch in enumerate(writer.branches):
            self._emit(f"{'elif' if number else 'if'} {n} == {number * 2}:")
            with self._nested():
                self._value(branch, reader, target)
        self._emit(
            f"{'else' if known else 'if True'}: raise MalformedError('expected a branch of {known}, got number %d' % (({n} >> 1) ^ -({n} & 1)))"
        )

    def nested_record(self, writer: Type, reader: Type | None, target: str) -> None:
        self._emit(f"{target}, p = {self._call(writer, reader)}(b, p, end, d + 1)")

    def null(self, writer: Type, reader: Type | None, target: str) -> None:
        self._emit(f"{target} = None")

    def boolean(self, writer: Type, reader: Type | None, target: str) -> None:
        self._emit("n = b[p]; p += 1", "if n > 1: raise MalformedError('expected a boolean, got byte %d' % n)")
        if reader is not None:
            self._emit(f"{target} = n == 1")

    def integer(self, writer: Type, reader: Type | None, target: str) -> None:
        self._emit("n = b[p]; p += 1", f"if n > 127: n, p = {writer.kind}_tail(b, p, n)")
        if reader is None:
            return
        value = "~(n >> 1) if n & 1 else n >> 1"
        if reader.kind in {"float", "double"}:
            value = f"float({value})"
        elif reader.logical in values.LOGICAL:
            factor = FINEST.get(writer.logical or reader.logical, 1)
            value = f"{values.LOGICAL[reader.logical]}({f'({value}) * {factor}' if factor > 1 else value})"
        self._emit(f"{target} = {value}")

    def floating(self, writer: Type, reader: Type | None, target: str) -> None:
        size, unpack = (4, "unpack_float") if writer.kind == "float" else (8, "unpack_double")
        if reader is not None:
            self._emit(f"{target}, = {unpack}(b, p)")
        self._emit(f"p += {size}")

    def sized(self, writer: Type, reader: Type | None, target: str) -> None:
        self._emit("n = b[p]; p += 1", f"if n > 127: {_LENGTH_TAIL}", "e = p + (n >> 1)")
        self._emit("if n & 1 or e > end: raise too_long(n, end - p)")
        if reader is not None:
            self._slice(writer, reader, target)
        self._emit("p = e")

    def fixed(self, writer: Type, reader: Type | None, target: str) -> None:
        self._emit(f"e = p + {writer.size}", f"if e > end: raise too_long({writer.size * 2}, end - p)")
        if reader is not None:
            self._slice(writer, reader, target)
        self._emit("p = e")

    def _slice(self, writer: Type, reader: Type, target: str) -> None:
        text = ".decode()" if reader.kind == "string" else ""
        if reader.logical == "decimal":
            scale, precision = (writer.scale, writer.precision) if writer.logical else (reader.scale, reader.precision)
            read = "fixed_decimal" if writer.kind == "fixed" else "decimal"
            self._emit(f"{target} = {read}(b[p:e], {precision}, {scale})")
        elif reader.logical == "uuid":
            self._emit(f"{target} = {'uuid_text' if text else 'uuid_bytes'}(b[p:e])")
        else:
            self._emit(f"{target} = b[p:e]{text}")

    def enum(self, writer: Type, reader: Type | None, target: str) -> None:
        known = len(writer.symbols)
        self._emit("n = b[p]; p += 1", "if n > 127: n, p = int_tail(b, p, n)")
        self._emit(
            f"if n & 1 or n >= {known * 2}: raise MalformedError('expected a symbol of {known}, got number %d' % ((n >> 1) ^ -(n & 1)))"
        )
        if reader is None:
            return
        symbols, table = self._symbols(writer, reader)
        if len(table) == known:
            self._emit(f"{target} = {symbols}[n]")
        else:
            self._emit(f"{target} = {symbols}.get(n, UnreadableError)")
            lost = f" is no symbol of {reader.label}, which has no default"
            names = self._constant("names", writer.symbols)
            self._emit(f"if {target} is UnreadableError: raise UnreadableError({names}[n >> 1] + {lost!r})")

    def _symbols(self, writer: Type, reader: Type) -> tuple[str, Mapping[int, Any]]:
        """Return the reader's value for each wire number that it can read, and what that is called: one for all references to an enum."""
        known = self._tables.get((writer, reader))
        if known is None:
            table = dict(_numbered(writer, reader))
            known = self._tables[writer, reader] = self._constant("symbols", table), table
        return known

    def array(self, writer: Type, reader: Type | None, target: str) -> None:
        value = self._fresh("i")
        if reader is not None:
            assert writer.items is not None
            assert reader.items is not None
            self._bound_values((writer.items,), reader.items)
            self._emit(f"{target} = []")
        with self._blocks("[]", most=f", {MAX_WEIGHTLESS}" if is_weightless(_items(writer, None)[0]) else ""):
            self._value(*_items(writer, reader), value)
            if reader is not None:
                self._emit(f"{target}.append({value})")

    def map(self, writer: Type, reader: Type | None, target: str) -> None:
        key, value = self._fresh("k"), self._fresh("i")
        if reader is not None:
            assert writer.items is not None
            assert reader.items is not None
            self._bound_values((_STRING, writer.items), reader.items)
            self._emit(f"{target} = {{}}")
        with self._blocks("{}"):
            self.sized(_STRING, None if reader is None else _STRING, key)
            if reader is not None:
                self._emit(
                    f"if {key} in {target}: raise MalformedError('expected distinct keys, got %r twice' % {key})"
                )
            self._value(*_items(writer, reader), value)
            if reader is not None:
                self._emit(f"{target}[{key}] = {value}")

    @contextmanager
    def _blocks(self, segment: str, most: str = "") -> Iterator[None]:
        count, stop = self._fresh("count"), self._fresh("stop")
        self._emit(f"{count}, {stop}, p = block(b, p, end{most})", f"while {count}:")
        with self._nested():
            self._emit(f"for _ in range({count}):")
            self._loops += 1
            with self._nested(segment):
                yield
            self._loops -= 1
            self._emit(
                f"if {stop} >= 0 and p != {stop}: raise MalformedError('expected a block that ends at byte %d' % {stop})"
            )
            self._emit(f"{count}, {stop}, p = block(b, p, end{most})")


_LENGTH_TAIL: Final = "n, p = (n & 127 | b[p] << 7, p + 1) if 0 < b[p] < 128 else long_tail(b, p, n)"
"""What follows the first byte of a length: seldom more than one byte, for which a call would take too long."""

_STRING: Final = Type("string")

_READS: Final[Mapping[str, Callable[[_Compiler, Type, Type | None, str], None]]] = {
    "null": _Compiler.null,
    "boolean": _Compiler.boolean,
    "int": _Compiler.integer,
    "long": _Compiler.integer,
    "float": _Compiler.floating,
    "double": _Compiler.floating,
    "bytes": _Compiler.sized,
    "string": _Compiler.sized,
    "fixed": _Compiler.fixed,
    "enum": _Compiler.enum,
    "array": _Compiler.array,
    "map": _Compiler.map,
    "record": _Compiler.nested_record,
}


def _items(writer: Type, reader: Type | None) -> tuple[Type, Type | None]:
    assert writer.items is not None
    return writer.items, None if reader is None else reader.items


def _numbered(writer: Type, reader: Type) -> Iterable[tuple[int, Any]]:
    """Yield the reader's value for each wire number that it can read; numbers are doubled, as zigzag has them."""
    for number, symbol in enumerate(writer.symbols):
        known = symbol if symbol in reader.numbers else reader.default
        if known is not None:
            yield number * 2, known if reader.decode is None else reader.decode(known)

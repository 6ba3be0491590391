"""A schema to be checked: its type graph, and where each type stands in the document that it comes from."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from stamp.compat.finding import Fragment
from stamp.compat.mark import mark
from stamp.compat.position import Position, positions, step
from stamp.errors import SchemaError
from stamp.schema.document import irregularities, parse
from stamp.schema.literal import misfits
from stamp.schema.names import COMPLEX, PRIMITIVES
from stamp.schema.shape import misshapes
from stamp.schema.types import Type, load

__all__ = ["Schema", "Source", "forget", "read_source"]

LONGEST: Final = 200
"""How many characters of a fragment are kept."""


def _beginning(value: Any) -> str:
    """Return the JSON of a value, cut short where it is long: what is left out is not written first."""
    text = ""
    for part in _ENCODE(value):
        text += part
        if len(text) > LONGEST:
            return f"{text[: LONGEST - 3]}..."
    return text


_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).iterencode


class _Place(NamedTuple):
    """Where a type stands in its document, and what is written there."""

    pointer: str
    written: Any


class _Content:
    """A document and its types. Shared by all sources that are written the same: nobody changes it.

    `written` is JSON text, or bytes that stand for a JSON form that came as Python values.
    """

    def __init__(self, document: Any, written: str | bytes, alias: str = "") -> None:
        self.document = document
        self.written = written
        self._shown: dict[str, str] = {}
        self.root = load(document)
        mark(self.root)
        if alias:
            self.root.mark = ""
            self.root.aliases |= {alias}

    @cached_property
    def places(self) -> Mapping[Type, _Place]:
        return dict(_places(self.document, self.root))

    def shown(self, pointer: str, value: Any) -> str:
        """Return the beginning of what stands at a pointer: many findings are about one place."""
        if pointer not in self._shown:
            self._shown[pointer] = _beginning(value)
        return self._shown[pointer]

    @cached_property
    def types(self) -> Mapping[str, Type]:
        return {place.pointer: type_ for type_, place in self.places.items()}

    @cached_property
    def is_of_texts(self) -> bool:
        """Whether equal documents are the same. With numbers they need not be: to Python `true` is 1 and 1.0."""
        return not any(type(value) in {bool, int, float} for value in _values(self.document))

    @cached_property
    def positions(self) -> Mapping[str, Position]:
        return positions(self.written) if isinstance(self.written, str) else {}


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A schema that has been read and found acceptable: checking it again takes no more reading."""

    content: _Content
    file: str | None = None

    @property
    def document(self) -> Any:
        """The JSON form."""
        return self.content.document

    @property
    def root(self) -> Type:
        """The outermost type. Not to be changed."""
        return self.content.root

    @classmethod
    def of(cls, document: Any, *, text: str = "", file: str | None = None) -> Source:
        """Return the source of a JSON form, and of the text that says it, taken as they are: who calls this has looked at them."""
        return cls(_Content(document, text or b""), file)

    def seen_as(self, name: str) -> Source:
        """Return this schema with `name` as another name of its outermost type."""
        if not self.root.name or not name or name == self.root.name:
            return self
        written = self.content.written
        renamed = _content(written, name) if written else _Content(self.document, b"", name)
        return Source(renamed, self.file)

    def pointer(self, type_: Type) -> str:
        """Return the JSON pointer of a type in the document; of a named one, to its definition."""
        return self.content.places[type_].pointer

    def type_at(self, pointer: str) -> Type | None:
        """Return the type that stands at `pointer`, if one does."""
        return self.content.types.get(pointer)

    def type_around(self, pointer: str) -> tuple[str, Type]:
        """Return the innermost type that `pointer` leads into, and where that stands."""
        while (found := self.type_at(pointer)) is None:
            pointer = pointer.rpartition("/")[0]
        return pointer, found

    def called(self, name: str) -> Iterator[Type]:
        """Yield the types of this name."""
        return (each for each in self.content.places if name and each.name == name)

    def value(self, pointer: str) -> Any:
        """Return the JSON that stands at `pointer`, or at the nearest place around it that exists."""
        return _at(self.document, pointer)[0]

    def fragment(self, type_: Type, within: str = "") -> Fragment:
        """Return a type as it is written, or what stands at the pointer `within` it, or at the nearest place around that that exists."""
        pointer, value = self.content.places[type_]
        if within:
            value, reached = _at(value, within)
            pointer += reached
        text = self.content.shown(pointer, value)
        at = self.content.positions.get(pointer)
        return Fragment(text, pointer, self.file, at and at.line, at and at.column)


Schema: TypeAlias = "Source | str | bytes | PathLike[str] | dict[str, Any] | list[Any]"
"""A schema: its JSON form, JSON text, the path of a file with JSON text, or one that has been read already."""


def read_source(schema: Schema) -> Source:
    """Return the source of a schema.

    A string that begins as JSON does is text, the name of a primitive type is that type, and any other string is a path.

    Raises:
        SchemaError: it is not legal in Avro 1.12, or cannot be read.
    """
    if isinstance(schema, Source):
        return schema
    if isinstance(schema, bytes):
        return _from_text(schema, None)
    if isinstance(schema, str) and schema in PRIMITIVES:
        return Source(_content(_frozen(schema)))
    if isinstance(schema, str) and schema.lstrip()[:1] in {"{", "[", '"'}:
        return _from_text(schema, None)
    if isinstance(schema, str | PathLike):
        file = fspath(schema)
        try:
            return _from_text(Path(file).read_bytes(), file)
        except (OSError, ValueError) as error:
            raise SchemaError(f"expected a file with a schema, or JSON: {error}", file=file) from error
    return Source(_of_values(schema))


def _of_values(schema: Any) -> _Content:
    """Return the content of a JSON form. The last ones are known by the object, as long as that has not been changed since."""
    known = _KNOWN.get(id(schema))
    if known is not None and known.is_of_texts and known.document == schema:
        return known
    content = _content(_frozen(schema))
    if len(_KNOWN) >= _KEPT:
        _KNOWN.clear()
    _KNOWN[id(schema)] = content
    return content


def forget() -> None:
    """Forget all schemas that have been read: for those who measure."""
    _KNOWN.clear()
    _content.cache_clear()


_KEPT: Final = 256
_KNOWN: Final[dict[int, _Content]] = {}


def _from_text(text: str | bytes, file: str | None) -> Source:
    try:
        return Source(_content(text if isinstance(text, str) else text.decode("utf-8-sig")), file)
    except UnicodeDecodeError as error:
        raise SchemaError(f"expected UTF-8: {error.reason}", offset=error.start, file=file) from error
    except SchemaError as error:
        raise SchemaError(error.message, path=error.path, file=file, line=error.line) from error


def _frozen(schema: Any) -> bytes:
    """Return bytes that are equal for equal values: what a schema is remembered by. `marshal` is twice as fast as JSON."""
    try:
        return marshal.dumps(schema, _WITHOUT_REFERENCES)
    except ValueError:  # a subclass of dict, such as our own schemas have; or no JSON at all
        pass
    try:
        return marshal.dumps(json.loads(json.dumps(schema)), _WITHOUT_REFERENCES)
    except (TypeError, ValueError, RecursionError) as error:
        problem = next(irregularities(schema), None)
        raise problem or SchemaError(f"expected a schema in its JSON form: {error}") from error


_WITHOUT_REFERENCES: Final = 2
"""The version of the marshal format: later ones write a value otherwise when somebody else refers to it too."""


@lru_cache(maxsize=_KEPT)
def _content(written: str | bytes, alias: str = "") -> _Content:
    """Return the content of what is written; the last ones are kept, since a schema is checked against several others."""
    if alias:
        return _Content(_content(written).document, written, alias)
    document = parse(written) if isinstance(written, str) else marshal.loads(written)  # noqa: S302 - written here
    if problem := next(irregularities(document), None) or next(misshapes(document), None):
        raise problem
    content = _Content(document, written)
    if misfit := next(misfits(content.root), None):
        raise misfit
    return content


def _places(node: Any, type_: Type) -> Iterator[tuple[Type, _Place]]:
    seen: set[Type] = set()
    waiting = [(node, type_, "")]
    while waiting:
        node, type_, pointer = waiting.pop()
        while isinstance(node, dict) and not _is_kind(node["type"]):
            node, pointer = node["type"], f"{pointer}/type"
        if type_ in seen or (type_.name and isinstance(node, str)):
            continue  # a reference: the place is where the type is defined
        seen.add(type_)
        yield type_, _Place(pointer, node)
        waiting += _parts(node, type_, pointer)


def _parts(node: Any, type_: Type, pointer: str) -> Iterator[tuple[Any, Type, str]]:
    for number, branch in enumerate(type_.branches):
        yield node[number], branch, f"{pointer}/{number}"
    for number, field in enumerate(type_.fields):
        yield node["fields"][number]["type"], field.type, f"{pointer}/fields/{number}/type"
    if type_.items is not None:
        key = "items" if type_.kind == "array" else "values"
        yield node[key], type_.items, f"{pointer}/{key}"


def _is_kind(kind: Any) -> bool:
    return isinstance(kind, str) and (kind in PRIMITIVES or kind in COMPLEX)


def _values(document: Any) -> Iterator[Any]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value


def _at(document: Any, pointer: str) -> tuple[Any, str]:
    value, reached = document, ""
    for key in pointer.split("/")[1:]:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            break
        reached += step(key)
    return value, reached

"""What a rule is: a look at one pair of types, and the words about it. Docs, `stamp rules` and `stamp explain` are made of the words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from stamp.compat.finding import Severity
from stamp.schema.types import Field, Type

__all__ = ["ALL", "NUMBERED", "SCALARS", "Example", "Issue", "Look", "Pair", "Rule"]

SCALARS: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NUMBERED: Final = frozenset({"int", "long", "float", "double"})
ALL: Final = SCALARS | {"record", "enum", "fixed", "array", "map"}


class Pair(NamedTuple):
    """A type of the writer and the one of the reader that it is read as.

    Neither is a union in the pairs that rules see. `union` is the writer's union that `writer` is a branch of, when the reader has none there.
    """

    writer: Type
    reader: Type
    union: Type | None = None


class Issue(NamedTuple):
    """What a rule has to say of a pair.

    It is about the whole types; about what they have at `at` (`name`, `symbols`); or about the reader's `field`, whose values come
    from the field `source` of the writer when that has one, or about what is `inside` them (`[]`, `{}`).
    """

    message: str
    at: str = ""
    field: Field | None = None
    source: Field | None = None
    inside: str = ""


Look: TypeAlias = Callable[[Pair], Iterator[Issue]]


class Example(NamedTuple):
    """The smallest pair of schemas, in JSON form, that a rule has something to say of."""

    writer: Any
    reader: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: `look` yields what it finds in pairs whose reader is of one of the `kinds`.

    `title` is a sentence for a list, `why` says what goes wrong, `remedy` what to do.
    """

    id: str
    severity: Severity
    title: str
    why: str
    remedy: str
    example: Example
    kinds: frozenset[str]
    look: Look

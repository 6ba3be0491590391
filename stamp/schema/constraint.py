"""What a field accepts beyond its Avro type, in JSON Schema's words: bounds, lengths, values, formats.

A field says it under `stamp`, an attribute that every Avro library passes over (Avro 1.12, "Schema Declaration"):

    {"name": "amount", "type": ["null", "long"], "stamp": {"minimum": 1, "maximum": 999}}

* The words are about the value. In a union of null and one other type they are about the other; in any other union `anyOf` has one
  constraint for each branch, in their order.
* `items` is about the items of an array, `additionalProperties` about the values of a map and `propertyNames` about its keys,
  `prefixItems` about the fields of a record that stands for a tuple.
* `minimum`, `maximum` and the like are numbers for numbers. For a decimal they are its text, for a date or time ISO 8601, for a
  duration its seconds, as text: whatever unit or scale either side has, they compare.
* `enum` has the values that there may be; of an Avro enum the symbols, of bytes one character a byte.
* Words of ours, since JSON Schema has none: `finite` (no infinity, and something that is a number), `schemes` of a URI, `maxDigits`
  and `decimalPlaces` of a decimal in text.
* `validator` names what the model does with the value that cannot be told in words; a record says it of itself, too.

Words that say nothing where they stand are passed over, and told by a check (`stamp.schema.ignored`). Nothing of this changes bytes, or how they are read: decoders and encoders do not look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

__all__ = ["ATTRIBUTE", "LISTS", "NOTHING", "PARTS", "WORDS", "Constraint", "constraint"]

ATTRIBUTE: Final = "stamp"
"""The attribute of a field, or of a record."""

WORDS: Final = frozenset(
    {
        *("enum", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "finite"),
        *("minLength", "maxLength", "pattern", "format", "schemes", "maxDigits", "decimalPlaces"),
        *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    }
)
"""Words about the value itself."""

LISTS: Final = frozenset({"prefixItems", "anyOf"})
"""Words about several things in it."""

PARTS: Final = LISTS | {"items", "additionalProperties", "propertyNames"}
"""Words about what is in it."""


class _Union(Protocol):
    """As much of a `stamp.schema.types.Type` as is needed here: its branches."""

    @property
    def branches(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a value must satisfy. Equal to another one that is written the same, but for the order of its words.

    `validators` are the names of what cannot be told in words, of the value and of all that is in it.
    """

    text: str = "{}"
    words: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), compare=False, repr=False)
    parts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), compare=False, repr=False)
    validators: tuple[str, ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        """Whether there is anything that it does not accept, as far as words say."""
        return bool(self.words or self.parts)

    @property
    def items(self) -> Constraint:
        """That of the items of an array."""
        return self._part("items")

    @property
    def values(self) -> Constraint:
        """That of the values of a map."""
        return self._part("additionalProperties")

    @property
    def keys(self) -> Constraint:
        """That of the keys of a map."""
        return self._part("propertyNames")

    def place(self, number: int) -> Constraint:
        """Return that of one place of a tuple."""
        return self._of("prefixItems", number)

    def branch(self, union: _Union, number: int) -> Constraint:
        """Return that of one branch of a union."""
        if is_optional(union):
            return NOTHING if union.branches[number].kind == "null" else self
        return self._of("anyOf", number)

    def _part(self, word: str) -> Constraint:
        found: Constraint = self.parts.get(word, NOTHING)
        return found

    def _of(self, word: str, number: int) -> Constraint:
        found: Sequence[Constraint] = self.parts.get(word, ())
        return found[number] if number < len(found) else NOTHING


def is_optional(union: _Union) -> bool:
    """Tell whether a union has one branch beside null, so that words about the value can only be about that."""
    return bool(sum(each.kind != "null" for each in union.branches) == 1)


NOTHING: Final = Constraint()
"""The constraint that every value satisfies."""


def constraint(said: Mapping[str, Any]) -> Constraint:
    """Return the constraint that a field says under `stamp`, which the lint has accepted."""
    parts: dict[str, Any] = {}
    validators = [said["validator"]] if "validator" in said else []
    for word in sorted(said.keys() & PARTS):
        found = tuple(map(constraint, said[word] if word in LISTS else [said[word]]))
        validators += [name for each in found for name in each.validators]
        if any(found):
            parts[word] = found if word in LISTS else found[0]
    words = {word: said[word] for word in said.keys() & WORDS}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return Constraint(text, MappingProxyType(words), MappingProxyType(parts), tuple(dict.fromkeys(validators)))

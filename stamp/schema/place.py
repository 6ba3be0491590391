"""Where in the models an annotation stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stamp.errors import SchemaError
from stamp.schema.names import namespace_of

__all__ = ["Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a model, as the author sees it (`path`) and as Avro does.

    `record` is the full name of the record around it, empty for the root. `entered` are the type aliases and root models that are
    being looked into: none of them has a name on the wire, so none can contain itself. `limits` are the constraints that the model
    around it has for all its values (`stamp.schema.enforced.limits_of`).
    """

    path: str
    record: str = ""
    use_enum_values: bool = False
    entered: tuple[Any, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """The namespace that names have here if they do not say another."""
        return namespace_of(self.record)

    def inside(self, nameless: Any) -> Place:
        """Return this place inside a type that has no name on the wire.

        Raises:
            SchemaError: it is inside it already.
        """
        if nameless in self.entered:
            raise self.error(
                f"expected a model, got {nameless.__name__}, which contains itself without one: make it a model with fields"
            )
        return replace(self, entered=(*self.entered, nameless))

    def within(self, record: str) -> Place:
        """Return this place within a record that is made for it."""
        return replace(self, record=record)

    def error(self, message: str) -> SchemaError:
        """Return the error that says `message` of this place."""
        return SchemaError(message, path=self.path)

"""The form of a Python type on the wire: its Avro schema, how a value of it is written, and how it is told from others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from stamp.schema.names import Schema

__all__ = ["Form", "Node", "Write"]

Write: TypeAlias = Callable[[Any, bytearray], None]
"""Appends the Avro binary of a value; raises EncodeError with the path from that value on."""


class Node(dict[str, Any]):
    """One object of a schema. As a dict it is plain Avro, and equal to it.

    `decode` turns the Avro datum of this type into the Python value that the model wants; None where pydantic's own validation
    does that without guessing.
    """

    __slots__ = ("decode",)

    def __init__(self, content: dict[str, Any], decode: Callable[[Any], Any] | None = None) -> None:
        super().__init__(content)
        self.decode = decode


@dataclass(frozen=True, slots=True)
class Form:
    """How one Python annotation goes over the wire.

    `types` are the Python classes whose instances it writes: they choose the branch of a union. `revive` gives back an instance of
    such a class from an Avro datum; it is used among several branches, where pydantic would have to guess. `defines` is the node of
    the named type that `schema` is or refers to. The values of an `ordered` form have a total order that agrees with equality.
    `said` is the constraint that whoever has a value of this form says under `stamp` (`stamp.schema.constraint`).
    """

    schema: Schema
    write: Write
    types: tuple[type, ...] = ()
    revive: Callable[[Any], Any] | None = None
    defines: Node | None = None
    ordered: bool = False
    said: dict[str, Any] = field(default_factory=dict)

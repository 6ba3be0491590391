"""Findings that are looked for when somebody asks for them: most who check want to know only whether there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import overload

from stamp.compat.finding import Finding

__all__ = ["Findings"]


class Findings(Sequence[Finding]):
    """One finding or more. `find` is called once, when more than that is asked for. Equal to a list or tuple of the same."""

    def __init__(self, find: Callable[[], Sequence[Finding]]) -> None:
        self._find = find

    @cached_property
    def _found(self) -> tuple[Finding, ...]:
        return tuple(self._find())

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Finding: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...

    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        """Return one finding, or several."""
        return self._found[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return bool(other) and self._found == tuple(other)

    def __hash__(self) -> int:
        return hash(self._found)

    def __repr__(self) -> str:
        return repr(self._found)

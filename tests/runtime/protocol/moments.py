"""Whatever can go wrong, at a moment that the test chooses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NoReturn, TypeAlias

from stamp.errors import DeliveryError, StoreError

Passing: TypeAlias = Callable[[str], None]
"""Called with the name of a moment; what it raises is what goes wrong."""


class Death(BaseException):
    """A worker is killed: nothing catches this."""


def die(moment: str) -> NoReturn:
    raise Death(moment)


def lose_the_broker(moment: str) -> NoReturn:
    raise DeliveryError(f"the connection was lost {moment}")


def lose_the_database(moment: str) -> NoReturn:
    raise StoreError(f"the database was lost {moment}")


class Moments:
    """Counts the moments that workers, a broker and a store pass; at those that are numbered `fatal`, a blow strikes who passes.

    `blows` are by who passes: "worker", "broker", "store". Only their moments are counted.
    """

    def __init__(self, blows: Mapping[str, Passing], fatal: Collection[int] = ()) -> None:
        self._blows, self._fatal = blows, fatal
        self.passed: list[str] = []

    def of(self, who: str) -> Passing:
        """Return what `who` calls at each moment."""

        def pass_by(moment: str) -> None:
            if who in self._blows:
                self.passed.append(f"{who} {moment}")
                if len(self.passed) - 1 in self._fatal:
                    self._blows[who](moment)

        return pass_by

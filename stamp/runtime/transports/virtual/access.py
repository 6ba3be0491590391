"""A place in use, until it fails for the first time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from stamp.errors import PERMISSIONS, DeliveryError
from stamp.runtime.transports.virtual.place import Place
from stamp.store import postgresql
from stamp.url import Secrets

__all__ = ["NONE", "Access"]

NONE: Final = Secrets()


class Access:
    """Guards `place`, whose `address` is for messages, in which none of its `secrets` is."""

    def __init__(self, place: Place, address: str, secrets: Secrets = NONE) -> None:
        self._secrets = secrets
        self._place = place
        self._address = address
        self._is_open = True

    @contextmanager
    def use(self) -> Iterator[Place]:
        """Do something there.

        Raises:
            DeliveryError: it failed, now or earlier, or is closed.
        """
        if not self._is_open:
            raise DeliveryError(f"{self._address} is closed here; open it again")
        try:
            yield self._place
        except self._place.failures as error:
            self.close()
            advice = f"; {PERMISSIONS}" if _is_refusal(error) else ""
            said = f"{self._address} cannot be used: {self._secrets.masked(error)}{advice}"
            raise DeliveryError(said) from self._secrets.cause(error)

    def close(self) -> None:
        """Let go of it."""
        if self._is_open:
            self._is_open = False
            with suppress(*self._place.failures):  # there is nothing left to do
                self._place.close()


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, PermissionError) or postgresql.is_refusal(error)

"""A place in use, until it fails for the first time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from stamp.errors import PERMISSIONS, DeliveryError, InputError
from stamp.runtime.transports.virtual.place import Place
from stamp.store import postgresql
from stamp.url import Secrets

__all__ = ["NONE", "Access", "translated"]

NONE: Final = Secrets()

HOPELESS: Final = "; no waiting mends that: give another URL, or mend what is there"


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
        with translated(self._address, self._secrets, self._place.failures):
            try:
                yield self._place
            except self._place.failures:
                self.close()
                raise

    def close(self) -> None:
        """Let go of it."""
        if self._is_open:
            self._is_open = False
            with suppress(*self._place.failures):  # there is nothing left to do
                self._place.close()


@contextmanager
def translated(
    address: str,
    secrets: Secrets,
    failures: tuple[type[Exception], ...],
    is_mistake: Callable[[Exception], bool] = lambda _: False,
) -> Iterator[None]:
    """Say where it was that one of `failures` was raised.

    Raises:
        InputError: whoever wrote `address` has made a mistake. DeliveryError: any other failure.
    """
    try:
        yield
    except failures as error:
        kind, advice = (InputError, HOPELESS) if is_mistake(error) else (DeliveryError, "")
        if _is_refusal(error):
            advice = f"; {PERMISSIONS}"
        said = " ".join(secrets.masked(getattr(error, "orig", error)).split())
        raise kind(f"{address} cannot be used: {said}{advice}") from secrets.cause(error)


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, PermissionError) or postgresql.is_refusal(error)

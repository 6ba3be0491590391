"""A connection to a Redis server on which commands are sent ahead of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final, TypeAlias

from redis.exceptions import RedisError, ResponseError

from stamp.errors import PERMISSIONS, DeliveryError
from stamp.runtime.transports.redis.address import Address

__all__ = ["Command", "Line"]

Command: TypeAlias = Sequence[str | bytes | int]

# What to do about an error, by its code or, where redis-py took that away, by its type.
ADVICE: Final = {
    ("OOM", "OutOfMemoryError"): "it has no memory left: let consumers catch up, or raise maxmemory",
    ("READONLY", "ReadOnlyError"): "it is a replica: give the URL of the primary server",
    ("MISCONF",): "it cannot write to its disk any more: look at its log",
    ("WRONGTYPE",): "a key of ours holds something else: give our keys a prefix of their own, as in ?prefix=orders",
    ("NOPERM", "NoPermissionError"): PERMISSIONS,
    ("NOAUTH", "WRONGPASS", "AuthenticationError"): "check user and password in the URL",
    ("NOGROUP",): "a queue was deleted meanwhile: connect again, which declares it",
    ("MOVED", "CROSSSLOT", "MovedError", "ClusterCrossSlotError"): "it is a cluster, which this transport does not know: use a single primary server",
}  # fmt: skip
ADVICE_BY_CODE: Final = {code: advice for codes, advice in ADVICE.items() for code in codes}


class Line:
    """One connection. After an error it is closed and of no use: what was sent ahead has no answer any more."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection = address.connection()
        self._is_open = True
        try:
            self._connection.connect()
        except (RedisError, OSError) as error:
            raise self._broken(error) from self._address.secrets.cause(error)

    def send(self, commands: Iterable[Command]) -> None:
        """Send `commands`; each has to be answered for with `answer`, in this order.

        Raises:
            DeliveryError: the connection failed.
        """
        self._must_be_open()
        try:
            self._connection.send_packed_command(self._connection.pack_commands(commands))
        except (RedisError, OSError) as error:
            raise self._broken(error) from self._address.secrets.cause(error)

    def answer(self, deadline: float) -> Any:
        """Return the next answer as the server wrote it, an error as a value; `deadline` is on the monotonic clock.

        Raises:
            DeliveryError: the connection failed, or no answer came in time.
        """
        self._must_be_open()
        try:
            if not self._connection.can_read(max(0.0, deadline - monotonic())):
                raise self._broken(TimeoutError("no answer in time"))
            return self._connection.read_response()
        except ResponseError as error:
            return self.refusal(error)
        except (RedisError, OSError) as error:
            raise self._broken(error) from self._address.secrets.cause(error)

    def ask(self, *commands: Command, wait: float = 0.0) -> list[Any]:
        """Send `commands` and return their answers; the server may take `wait` seconds more than the address says.

        Raises:
            DeliveryError: the connection failed, or the server refused one of them.
        """
        answers = self.try_to(*commands, wait=wait)
        for each in answers:
            if isinstance(each, DeliveryError):
                raise each
        return answers

    def try_to(self, *commands: Command, wait: float = 0.0) -> list[Any]:
        """Do as `ask`, but return refusals among the answers.

        Raises:
            DeliveryError: the connection failed.
        """
        self.send(commands)
        deadline = monotonic() + wait + self._address.timeout
        return [self.answer(deadline) for _ in commands]

    def must_be_alive(self) -> None:
        """Look whether the other side has closed the connection; no answer may be missing.

        Raises:
            DeliveryError: it has.
        """
        self._must_be_open()
        try:
            self._connection.can_read(0)
        except (RedisError, OSError) as error:
            raise self._broken(error) from self._address.secrets.cause(error)

    def refusal(self, error: BaseException) -> DeliveryError:
        """Return `error` of this server as ours."""
        words = {type(error).__name__, *str(error).split()}  # of a script's error the code is somewhere in its text
        advice = next((advice for code, advice in ADVICE_BY_CODE.items() if code in words), None)
        said = self._address.secrets.masked(error)
        refusal = DeliveryError(f"Redis at {self._address}: {said}" + (f"; {advice}" if advice else ""))
        refusal.__cause__ = self._address.secrets.cause(error)
        return refusal

    def close(self) -> None:
        """Close the connection."""
        self._is_open = False
        with suppress(RedisError, OSError):  # it may be broken: closing it is all that is left to do
            self._connection.disconnect()

    def _must_be_open(self) -> None:
        # redis-py would connect again, and the answers of before would be missing.
        if not self._is_open:
            raise DeliveryError(f"the connection to Redis at {self._address} is closed; open another one")

    def _broken(self, error: BaseException) -> DeliveryError:
        self.close()
        return self.refusal(error)

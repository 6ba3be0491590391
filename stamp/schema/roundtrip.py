"""Reading back what has just been written: the same value, or an error.

pydantic runs the validators of a model again when the model is read. One that converts, `model_post_init` that adds something, a field
that is not written: all of them give another value, and nobody would be told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError

from stamp.errors import EncodeError, StampError
from stamp.schema.coreschema import has_own_equality
from stamp.schema.decoder import decoder
from stamp.schema.decoding import Decoder
from stamp.schema.refused import refused
from stamp.schema.scalars import TEXTS

__all__ = ["RoundTrip"]


class RoundTrip:
    """What reads a model back, for as long as the model is in use."""

    def __init__(self, model: type[BaseModel], schema: Mapping[str, Any]) -> None:
        self._model, self._schema = model, schema
        self._validate: Final[Callable[..., Any]] = model.__pydantic_validator__.validate_python

    @cached_property
    def _has_own_equality(self) -> bool:
        return has_own_equality(self._model)

    @cached_property
    def _decode(self) -> Decoder:
        return decoder(self._schema)

    def check(self, written: BaseModel, payload: bytes) -> None:
        """Read `payload`, which `written` has become.

        Raises:
            EncodeError: what is read is not equal to `written`, or cannot be read at all.
        """
        read = self._read(payload)
        if self._is_equal(written, read):
            return
        difference = next(_differences(written, read, self._model.__name__), None)
        if difference is not None:
            raise EncodeError(
                f"expected a value that is read as it was written, got {_shown(difference.written)}, "
                f"which is read as {_shown(difference.read)}: {difference.advice}",
                path=difference.path,
            )

    def _is_equal(self, written: BaseModel, read: Any) -> bool:
        """Tell whether pydantic itself calls them equal, which is quick; what it does not may be so all the same."""
        try:
            return not self._has_own_equality and bool(written == read)
        except Exception:  # noqa: BLE001 - equality is code of others: arrays, signalling numbers, what cannot be compared any more
            return False

    def _read(self, payload: bytes) -> Any:
        name = self._model.__name__
        try:
            return self._validate(self._decode(payload), strict=False, by_alias=True, by_name=True)
        except ValidationError as error:
            path, text = refused(error)[0]
            raise EncodeError(f"{UNREADABLE}: {text}: {CHANGED}", path=f"{name}.{path}" if path else name) from error
        except StampError as error:
            path = f"{name}.{error.path}" if error.path else name
            raise EncodeError(f"{UNREADABLE}: {error.message}: {CHANGED}", path=path) from error
        except Exception as error:
            raise EncodeError(f"{UNREADABLE}: a validator raises {error!r:.200}: {CONVERTS}", path=name) from error


UNREADABLE: Final = "expected a value that can be read back"
CHANGED: Final = "was it changed after it was validated, made by model_construct, or does a validator convert it again?"
CONVERTS: Final = (
    "validators and `model_post_init` run again when the value is read: let them leave alone what they have converted already, "
    "or convert before the model is made"
)
EXCLUDED: Final = "a field with exclude=True is not written: write a model without it"
PRIVATE: Final = "a private attribute is not written: make it a field, or a property that follows from the fields"
RETYPED: Final = "annotate the field as what it holds, or give it, also as its default, what it is read as"


class _Difference(NamedTuple):
    path: str
    written: Any
    read: Any
    advice: str


def _differences(written: Any, read: Any, path: str) -> Iterator[_Difference]:
    """Yield where what was read is not what was written."""
    if isinstance(written, BaseModel) and type(written) is type(read):
        yield from _between_models(written, read, path)
    elif isinstance(written, Mapping) and isinstance(read, Mapping) and written.keys() == read.keys():
        for key, each in written.items():
            yield from _differences(each, read[key], f"{path}[{key!r:.60}]")
    elif _are_sequences(written, read):
        for index, (each, again) in enumerate(zip(written, read, strict=True)):
            yield from _differences(each, again, f"{path}[{index}]")
    elif not _is_same(written, read):
        yield _Difference(path, written, read, CONVERTS if isinstance(read, type(written)) else RETYPED)


def _between_models(written: BaseModel, read: BaseModel, path: str) -> Iterator[_Difference]:
    fields, state, again = type(written).model_fields, written.__dict__, read.__dict__
    for name, field in fields.items():
        if field.exclude:
            if name in state and not _is_same(state[name], again[name]):
                yield _Difference(f"{path}.{name}", state[name], again[name], EXCLUDED)
        else:
            yield from _differences(state[name], again[name], f"{path}.{name}")
    hidden, anew = (getattr(each, "__pydantic_private__", None) or {} for each in (written, read))
    for name in {**hidden, **anew}:
        mine, theirs = hidden.get(name), anew.get(name)
        if not _is_identity(mine, theirs) and not _is_same(mine, theirs):
            yield _Difference(f"{path}.{name}", mine, theirs, PRIVATE)


def _are_sequences(written: Any, read: Any) -> bool:
    kinds = (list, tuple, deque)
    return any(isinstance(written, each) and isinstance(read, each) for each in kinds) and len(written) == len(read)


BY_IDENTITY: Final[Any] = object.__eq__


def _is_identity(written: Any, read: Any) -> bool:
    """Tell whether two objects are of a class, like a lock or a client, of which no two are ever equal: that is no value."""
    return type(written) is type(read) and type(written).__eq__ is BY_IDENTITY


def _is_same(written: Any, read: Any) -> bool:
    try:
        if written == read:
            return True
        if isinstance(written, datetime) and isinstance(
            read, datetime
        ):  # in the hour that a clock shows twice, none is equal
            return not written - read
        if isinstance(written, str) and isinstance(
            read, TEXTS
        ):  # a default like `page: HttpUrl = "https://example.com"`
            return bool(type(read)(written) == read)
        if isinstance(written, AbstractSet) and isinstance(read, AbstractSet):
            return _are_same(written - read, read - written)
        return bool(written != written and read != read)  # noqa: PLR0124 - not a number is not equal to itself
    except Exception:  # noqa: BLE001 - as in `_is_equal`
        return _text(written) == _text(read)


def _are_same(written: AbstractSet[Any], read: AbstractSet[Any]) -> bool:
    """Tell whether what is not equal in two sets is the same all the same, such as not a number."""
    left = list(read)
    for each in written:
        found = next((number for number, other in enumerate(left) if _is_like(each, other)), None)
        if found is None:
            return False
        del left[found]
    return not left


def _is_like(written: Any, read: Any) -> bool:
    return next(_differences(written, read, ""), None) is None


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {_text(value):.60}"


def _text(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - as in `_is_equal`
        return object.__repr__(value)

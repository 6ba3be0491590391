"""What a handler's signature says: the parameters are reads, the return annotation is what it writes."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union

from pydantic import BaseModel

from stamp.errors import StampError, WorkflowError
from stamp.schema.view import view_of
from stamp.workflow.context import StepContext
from stamp.workflow.step import From, Read

__all__ = ["Signature", "place_of", "signature"]


class Signature(NamedTuple):
    """A handler, understood. `writes` are the models that it may return, `context` the parameter that gets a StepContext."""

    reads: tuple[Read, ...]
    writes: tuple[type[BaseModel], ...]
    returns_none: bool
    context: str | None


def place_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the `file` and `line` where a function is defined, for an error."""
    code = inspect.unwrap(function).__code__
    return {"file": code.co_filename, "line": code.co_firstlineno}


def signature(function: Callable[..., Any], names: Mapping[str, Any]) -> Signature:
    """Return what the signature of a handler declares. `names` are the local names where it is defined.

    Raises:
        WorkflowError: a parameter or the return value is not annotated in a way that says what is read or written.
    """
    place = place_of(function)
    try:
        hints = typing.get_type_hints(function, localns=dict(names), include_extras=True)
    except NameError as error:
        raise WorkflowError(
            f"expected annotations that can be resolved, got {error}", path=function.__name__, **place
        ) from error
    if "return" not in hints:
        raise WorkflowError(
            "expected a return annotation: what the step writes, or None", path=function.__name__, **place
        )
    returned = _options(hints.pop("return"))
    reads, context = [], None
    for name, parameter in inspect.signature(function).parameters.items():
        path = f"{function.__name__}({name})"
        if name not in hints or parameter.kind not in _BY_NAME or parameter.default is not parameter.empty:
            raise WorkflowError(
                "expected a named parameter with an annotation and without a default", path=path, **place
            )
        if hints[name] is StepContext:
            context = name
        else:
            reads.append(_read(name, hints[name], path, place))
    writes = tuple(each for each in returned if each is not NoneType)
    for each in writes:
        if not _is_model(each):
            raise WorkflowError(
                f"expected pydantic models as return annotation, got {each!r}", path=function.__name__, **place
            )
    return Signature(tuple(reads), writes, NoneType in returned, context)


_BY_NAME = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def _read(parameter: str, annotation: Any, path: str, place: Mapping[str, Any]) -> Read:
    producer = parameter
    if typing.get_origin(annotation) is Annotated:
        annotation, *notes = typing.get_args(annotation)
        producer = next((note.step for note in notes if isinstance(note, From)), parameter)
    options = [each for each in _options(annotation) if each is not NoneType]
    if len(options) != 1 or not _is_model(options[0]):
        raise WorkflowError(
            f"expected one pydantic model (a view), a view `| None`, or StepContext, got {annotation!r}",
            path=path,
            **place,
        )
    try:
        view = view_of(options[0])
    except StampError as error:
        raise WorkflowError(f"the view cannot be an Avro schema: {error}", path=path, **place) from error
    return Read(parameter, producer, view, optional=NoneType in _options(annotation))


def _options(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (Union, UnionType):
        return typing.get_args(annotation)
    return (NoneType if annotation is None else annotation,)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

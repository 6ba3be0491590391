"""What a handler's signature says: the parameters are reads, the return annotation is what it writes."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NamedTuple, Union

from pydantic import BaseModel

from stamp.errors import StampError, WorkflowError
from stamp.schema.view import view_of
from stamp.workflow.context import StepContext
from stamp.workflow.step import From, Read

__all__ = ["Signature", "is_model", "place_of", "signature"]


class Signature(NamedTuple):
    """A handler, understood. `writes` are the models that it may return, `context` the parameter that gets a StepContext."""

    reads: tuple[Read, ...]
    writes: tuple[type[BaseModel], ...]
    returns_none: bool
    context: str | None


def place_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the `file` and `line` where a function is defined, for an error.

    Raises:
        WorkflowError: it is no function.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        raise WorkflowError(f"expected a function or a method as the handler of a step, got {function!r}")
    return {"file": code.co_filename, "line": code.co_firstlineno}


def signature(function: Callable[..., Any], names: Mapping[str, Any]) -> Signature:
    """Return what the signature of a handler declares. `names` are the local names where it is defined.

    Raises:
        WorkflowError: a parameter or the return value is not annotated in a way that says what is read or written.
    """
    place = place_of(function)
    try:
        hints = typing.get_type_hints(function, localns=dict(names), include_extras=True)
    except _UNRESOLVABLE as error:
        raise WorkflowError(
            f"expected annotations that can be evaluated where the step is defined, got {type(error).__name__}: {error}: "
            "models must be defined before the step, and imported for real, not only under TYPE_CHECKING",
            path=function.__name__,
            **place,
        ) from error
    reads, context = [], None
    for name, parameter in inspect.signature(function).parameters.items():
        path = f"{function.__name__}({name})"
        if mistake := _mistake(parameter, annotated=name in hints):
            raise WorkflowError(mistake, path=path, **place)
        if hints[name] is not StepContext:
            reads.append(_read(name, hints[name], path, place))
        elif context is None:
            context = name
        else:
            raise WorkflowError(f"expected one StepContext, got `{context}` already", path=path, **place)
    writes, returns_none = _writes(function, hints, place)
    return Signature(tuple(reads), writes, returns_none, context)


_UNRESOLVABLE: Final = (NameError, AttributeError, TypeError, SyntaxError)
"""What comes out of the evaluation of an annotation that is a string."""


def _mistake(parameter: inspect.Parameter, *, annotated: bool) -> str | None:
    if parameter.kind not in _BY_NAME:
        return f"expected a parameter that can be given by its name, got `{parameter}`"
    if parameter.default is not parameter.empty:
        return "expected no default: annotate it as `View | None` if the step that it reads may not have contributed"
    if not annotated:
        return f"expected an annotation: the view of what the step {parameter.name!r} wrote (a pydantic model), or StepContext"
    return None


_BY_NAME: Final = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def _writes(
    function: Callable[..., Any], hints: Mapping[str, Any], place: Mapping[str, Any]
) -> tuple[tuple[type[BaseModel], ...], bool]:
    if "return" not in hints:
        text = "expected a return annotation: the pydantic model that the step writes, or None if it writes nothing"
        raise WorkflowError(text, path=function.__name__, **place)
    returned, _ = _options(hints["return"])
    writes = tuple(dict.fromkeys(each for each in returned if each is not NoneType))
    for each in writes:
        if not is_model(each):
            text = f"expected a return annotation of pydantic models, which are what the step writes, got {each!r}"
            raise WorkflowError(text, path=function.__name__, **place)
    return writes, NoneType in returned


def _read(parameter: str, annotation: Any, path: str, place: Mapping[str, Any]) -> Read:
    options, notes = _options(annotation)
    producer = next((note.step for note in notes if isinstance(note, From)), parameter)
    views = [each for each in options if each is not NoneType]
    if len(views) != 1 or not is_model(views[0]):
        text = f"expected one pydantic model (a view), a view `| None`, or StepContext, got {annotation!r}"
        raise WorkflowError(text, path=path, **place)
    try:
        view = view_of(views[0])
    except StampError as error:
        raise WorkflowError(f"the view cannot be an Avro schema: {error}", path=path, **place) from error
    return Read(parameter, producer, view, optional=NoneType in options)


def _options(annotation: Any) -> tuple[list[Any], list[Any]]:
    """Return the members of an annotation that may be a union, and the notes of every `Annotated` in it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        options, notes = _options(arguments[0])
        return options, notes + list(arguments[1:])
    if origin in {Union, UnionType}:
        members = [_options(each) for each in arguments]
        return [each for options, _ in members for each in options], [each for _, notes in members for each in notes]
    if hasattr(annotation, "__value__"):  # `type Outcome = Validated | Rejected`
        return _options(annotation.__value__)
    return [NoneType if annotation is None else annotation], []


def is_model(annotation: Any) -> bool:
    """Tell whether an annotation is a pydantic model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

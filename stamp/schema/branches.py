"""The branches of a union, which both the writer and every reader must be able to tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic import RootModel

from stamp.schema import encoder
from stamp.schema.enforced import loosest
from stamp.schema.form import Form, Node
from stamp.schema.names import Schema, unqualified
from stamp.schema.naming import outline
from stamp.schema.place import Place
from stamp.schema.scalars import NULL

__all__ = ["union"]


def union(forms: Sequence[Form], place: Place) -> Form:
    """Return the form of a union with these branches, in this order; of one branch only if they are all the same.

    Raises:
        SchemaError: two branches could not be told apart.
    """
    forms = _merged(forms, place)
    if len(forms) == 1:
        return forms[0]
    _check_distinct(forms, place)
    types = tuple(each for form in forms for each in form.types)
    others = [form for form in forms if form is not NULL]
    if len(others) == 1:
        write = encoder.optional(others[0].write, null_first=forms[0] is NULL)
        return Form([form.schema for form in forms], write, types, said=others[0].said)
    write = encoder.union([(form.types, form.write) for form in forms])
    return Form([_branch(form, place) for form in forms], write, types, said=_said(forms))


def _said(forms: Sequence[Form]) -> dict[str, Any]:
    """Return the constraint of a union of several: one for each branch, and first what none can tell."""
    validators = {form.said["validator"]: None for form in forms if "validator" in form.said}
    told = [{word: value for word, value in form.said.items() if word != "validator"} for form in forms]
    said: dict[str, Any] = {"anyOf": told} if any(told) else {}
    return said | ({"validator": next(iter(validators))} if validators else {})


def _merged(forms: Sequence[Form], place: Place) -> list[Form]:
    """Return the forms without repetitions: `Literal["a"] | str` is one branch."""
    merged: list[Form] = []
    for form in forms:
        for index, other in enumerate(merged):
            same = outline(form.schema, place.namespace) == outline(other.schema, place.namespace)
            if same and form.types == other.types:
                said = loosest(other.said, form.said, place)
                merged[index] = replace(other, write=encoder.either(other.write, form.write), said=said)
                break
        else:
            merged.append(form)
    return merged


def _check_distinct(forms: Sequence[Form], place: Place) -> None:
    """Refuse branches that a reader could not tell apart by their Avro types, or the writer by the classes of their values."""
    branches: set[str] = set()
    classes: set[type] = set()
    for form in forms:
        if isinstance(form.schema, list):
            raise place.error(
                f"expected no union within a union, got {form.types[0].__name__}: write out its types here"
            )
        outlined = outline(form.schema, place.namespace)
        branch = str(outlined["type"]) if isinstance(outlined, dict) else unqualified(str(outlined))
        if branch in branches:
            raise place.error(
                f"expected a union with at most one branch that is {branch!r} in Avro, got two: make one of them a model"
            )
        branches.add(branch)
        if twice := classes.intersection(form.types):
            raise place.error(
                f"expected a union of different Python classes, got {twice.pop().__name__} twice: make one of them a model"
            )
        classes.update(form.types)


def _branch(form: Form, place: Place) -> Schema:
    """Return the schema of one branch among several, with what gives back its values so that pydantic need not guess."""
    if issubclass(form.types[0], RootModel) and form.revive is None:
        raise place.error(
            f"expected no RootModel of a named type among several types, got {form.types[0].__name__}: write out its root"
        )
    if form.revive is None:
        return form.schema
    if form.defines is not None:
        form.defines.decode = form.revive
        return form.schema
    plain = {"type": form.schema} if isinstance(form.schema, str) else form.schema
    return Node(cast("dict[str, Any]", plain), form.revive)

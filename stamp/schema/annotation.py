"""Python annotations to Avro types.

    annotation                                          Avro
    bool                                                boolean
    int, whatever its constraints                       long
    float                                               double
    str, constrained or not, EmailStr                   string
    bytes                                               bytes
    datetime, AwareDatetime, PastDatetime, ...          long, timestamp-micros: an instant; a naive value is refused
    NaiveDatetime                                       long, local-timestamp-micros
    date                                                int, date
    time                                                long, time-micros: without time zone
    timedelta                                           long, timedelta-micros (a logical type of ours)
    UUID                                                string, uuid
    Decimal with max_digits and decimal_places          bytes, decimal(max_digits, decimal_places); never rounded
    Decimal                                             string: its exact text
    AnyUrl and all others, IPv4Address ..., Path        string: their text
    Enum, StrEnum, IntEnum                              enum: the names of the members, so that a value may change
    Literal of str, of int, of bool, of bytes           that primitive: an enum would need the name of the model around it
    Literal of members of one enum                      that enum
    list[T], Sequence[T], deque[T], tuple[T, ...]       array of T
    set[T], frozenset[T]                                array of T, sorted: equal sets give equal bytes
    dict[str, T], Mapping[str, T]                       map of T
    tuple[A, B]                                         record Tuple2_<A>_<B> of the fields _0 and _1
    A | B, Optional[A]                                  union: null first, or else the branch of the default first
    model                                               record; the second time, and within itself, its name
    generic model Box[int]                              record Box_int
    RootModel[T]                                        T
    Annotated, NewType, type alias, TypeVar with bound  what it stands for

Everything else is refused with the path of the field (`stamp.schema.refusals`), as is a union in which two branches have one Avro
type or one Python class: what was written could not be told when it is read. A value that the model itself would read as another one
is refused when it is written (`stamp.schema.roundtrip`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import Enum, Flag
from inspect import cleandoc
from types import NoneType
from typing import Any, Final, Literal, Self, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from stamp.schema import encoder
from stamp.schema.branches import union
from stamp.schema.enforced import enforced, limits_of, literal_words, validated_fields, validates
from stamp.schema.form import Form, Node, Write
from stamp.schema.leaves import Leaf, leaves
from stamp.schema.names import Schema, fullname, is_name, unqualified
from stamp.schema.naming import Names, generic_origin, head, options, outline, reference, tuple_name, type_name
from stamp.schema.place import Place
from stamp.schema.refusals import check_model, refusal
from stamp.schema.refused import refused
from stamp.schema.scalars import scalar
from stamp.schema.types import MISSING
from stamp.schema.values import UnreadableError

__all__ = ["Mapper", "doc_of", "reviver"]

ARRAYS: Final[Mapping[Any, tuple[type, ...]]] = {
    list: (list,),
    MutableSequence: (list,),
    Sequence: (list, tuple, deque),
    deque: (deque,),
    tuple: (tuple,),
}
SETS: Final[Mapping[Any, tuple[type, ...]]] = {
    set: (set,),
    MutableSet: (set,),
    frozenset: (frozenset,),
    AbstractSet: (set, frozenset),
}
MAPS: Final[Mapping[Any, type]] = {dict: dict, Mapping: Mapping, MutableMapping: MutableMapping}


class Mapper(ABC):
    """One walk over annotations, which gives each its form and remembers the named types that it has met.

    A named type is defined where it is met first and referred to from then on. `named` are their nodes by full name, `met` the full
    names of classes, `writers` those of models, `tuples` what the records made for tuples hold.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.named: dict[str, Node] = {}
        self.met: dict[type, str] = {}
        self.writers: dict[type, Write] = {}
        self.tuples: dict[str, list[Schema]] = {}

    @abstractmethod
    def record(self, model: type[BaseModel], place: Place) -> Form:
        """Return the form of a model with fields."""

    def form(self, annotation: Any, metadata: Sequence[Any], place: Place, default: Any = MISSING) -> Form:
        """Return the form of an annotation; `default` decides which branch of a union comes first.

        Raises:
            SchemaError: the annotation, or something in it, has no form.
        """
        found = list(leaves(annotation, metadata, place))
        if len(found) == 1:
            return self.leaf(found[0])
        forms = [self.leaf(leaf) for leaf in self._in_order(found, default)]
        return union(forms, place)

    def _in_order(self, found: list[Leaf], default: Any) -> list[Leaf]:
        """Return the branches of a union: that of the default, null, then as declared.

        A type is defined where it is met first, so that the order must be known before; a walk on a copy of this mapper tells.
        """
        ordered = sorted(found, key=lambda leaf: leaf.annotation not in {None, NoneType})
        if default is MISSING or default is None:
            return ordered
        trial = self._copy()
        choose = encoder.chooser([(form.types, form.write) for form in map(trial.leaf, ordered)])
        chosen = choose(default)
        return ordered if chosen is None else [ordered[chosen], *ordered[:chosen], *ordered[chosen + 1 :]]

    def _copy(self) -> Self:
        copy = type(self)(self.names.copy())
        copy.named, copy.met = self.named.copy(), self.met.copy()
        copy.writers, copy.tuples = self.writers.copy(), self.tuples.copy()
        return copy

    def leaf(self, leaf: Leaf) -> Form:
        """Return the form of one type, with what it enforces; raises SchemaError if it has none."""
        form, own = self._leaf(leaf), enforced(*leaf)
        return replace(form, said=form.said | own) if own else form

    def _leaf(self, leaf: Leaf) -> Form:
        annotation, metadata, place = leaf
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return self._literal(arguments, place)
        if form := scalar(annotation, metadata, place):
            return form
        if isinstance(annotation, type) and origin is None:
            return self._class(annotation, place)
        if hasattr(annotation, "type_ref"):
            return self._itself(annotation.type_ref, place)
        if not arguments:
            raise refusal(annotation, place)
        return self._container(origin, arguments, leaf)

    def _container(self, origin: Any, arguments: Sequence[Any], leaf: Leaf) -> Form:
        if origin is tuple and arguments[1:] != (...,):
            return self._tuple(arguments, leaf.place)
        if origin in ARRAYS or origin in SETS:
            return self._array(origin, arguments[0], leaf.place)
        if origin in MAPS:
            return self._map(MAPS[origin], arguments, leaf.place)
        raise refusal(leaf.annotation, leaf.place)

    def _class(self, cls: type, place: Place) -> Form:
        if issubclass(cls, RootModel):
            return self._root(cls, place)
        if issubclass(cls, BaseModel):
            return self.record(cls, place)
        if issubclass(cls, Enum):
            return self._enum(cls, list(cls), place)
        raise refusal(cls, place)

    def _itself(self, type_ref: str, place: Place) -> Form:
        """Return the form of a generic model within itself, for which pydantic has a placeholder instead of the class."""
        for cls in self.met:
            core = getattr(cls, "__pydantic_core_schema__", {})
            if core.get("schema", {}).get("schema_ref") == type_ref:
                return self.record(cls, place)
        raise place.error(
            "expected a generic model that contains itself without detour, got one that does so through another model"
        )

    def _literal(self, values: Sequence[Any], place: Place) -> Form:
        kinds = {type(value) for value in values}
        if len(kinds) > 1:
            raise place.error(f"expected a Literal of one type, got {', '.join(map(repr, values))}")
        (kind,) = kinds
        if issubclass(kind, Enum):
            return replace(self._enum(kind, list(values), place), said=literal_words(values))
        form = scalar(kind, (), place)
        assert form is not None
        return replace(form, write=encoder.one_of(form.write, values), said=literal_words(values))

    def _array(self, origin: Any, item: Any, place: Place) -> Form:
        form = self.form(item, (), place)
        node = Node({"type": "array", "items": form.schema})
        said = _saying(items=form.said)
        if origin in SETS:
            write = encoder.unordered(form.write, SETS[origin], by_value=form.ordered)
            return Form(node, write, SETS[origin], said={**said, "uniqueItems": True})
        return Form(node, encoder.array(form.write, ARRAYS[origin]), ARRAYS[origin], said=said)

    def _map(self, accepts: type, arguments: Sequence[Any], place: Place) -> Form:
        key, value = (self.form(each, (), place) for each in arguments)
        if key.schema != "string" or key.types != (str,):
            raise place.error(
                f"expected a dict with str keys, as Avro maps have, got {arguments[0]!r}: use a list of a model"
            )
        write = encoder.mapping(key.write, value.write, accepts)
        said = _saying(propertyNames=key.said, additionalProperties=value.said)
        return Form(Node({"type": "map", "values": value.schema}), write, (accepts,), said=said)

    def _tuple(self, items: Sequence[Any], place: Place) -> Form:
        namespace = self.names.namespace or place.namespace
        outer = place.within(fullname(f"Tuple{len(items)}", namespace))
        trial = self._copy()  # the name is made of the parts, and they are defined within what has the name
        parts = [outline(trial.form(each, (), outer).schema, namespace) for each in items]
        full = fullname(tuple_name(parts), namespace)
        inside = place.within(full)
        if full in self.named:
            if self.tuples.get(full) != parts:
                raise place.error(f"expected one type of the name {full}, got another: make this tuple a model")
            forms = [self.form(each, (), inside) for each in items]
            return Form(
                reference(full, place),
                encoder.items([form.write for form in forms]),
                (tuple,),
                defines=self.named[full],
                said=_saying_each(forms),
            )
        self.names.define(unqualified(full), None, place)
        self.tuples[full] = parts
        node = self.named[full] = Node({"type": "record", **head(full, place), "fields": []}, _untuple(len(items)))
        forms = [self.form(each, (), inside) for each in items]
        node["fields"] = [{"name": f"_{index}", "type": form.schema} for index, form in enumerate(forms)]
        write = encoder.items([form.write for form in forms])
        return Form(node, write, (tuple,), defines=node, said=_saying_each(forms))

    def _enum(self, cls: type[Enum], allowed: Sequence[Enum], place: Place) -> Form:
        if issubclass(cls, Flag) or not len(cls):
            raise refusal(cls, place)
        schema = reference(self.met[cls], place) if cls in self.met else self._enum_node(cls, place)
        values = _values(cls) if place.use_enum_values else {}
        types = (cls, *dict.fromkeys(map(type, values)))
        return Form(schema, encoder.enumeration(cls, allowed, values), types, defines=self.named[self.met[cls]])

    def _enum_node(self, cls: type[Enum], place: Place) -> Node:
        symbols = [member.name for member in cls]
        for symbol in symbols:
            if not is_name(symbol):
                raise place.error(
                    f"expected the members of {cls.__name__} to have legal Avro names (ASCII), got {symbol!r}"
                )
        node = Node({"type": "enum", **self.define(cls, place), "symbols": symbols}, {**cls.__members__}.__getitem__)
        if default := options(cls).default:
            node["default"] = default
        self.named[self.met[cls]] = node
        return node

    def define(self, cls: type, place: Place, name: str | None = None) -> dict[str, Any]:
        """Give the type of a class its name, and return what its definition begins with: name, doc and aliases."""
        own = options(cls)
        namespace = own.namespace or options(generic_origin(cls)).namespace
        full = self.names.define(name or type_name(cls), namespace if place.record else None, place)
        self.met[cls] = full
        doc = doc_of(cls)
        return head(full, place) | ({"doc": doc} if doc else {}) | ({"aliases": [*own.aliases]} if own.aliases else {})

    def _root(self, model: type[RootModel[Any]], place: Place) -> Form:
        check_model(model)
        info = model.model_fields["root"]
        values, limits = model.model_config.get("use_enum_values", False), limits_of(model.model_config)
        place = replace(place.inside(model), use_enum_values=values, limits=limits)
        form = self.form(info.annotation, info.metadata, place)
        is_seen = not validates(model) and not validated_fields(model)
        said = form.said if is_seen else {**form.said, "validator": model.__name__}
        # The node of a named type is shared with all other uses of that type: it cannot give back this model.
        revive = None if form.defines else reviver(model)
        return Form(form.schema, encoder.attribute(model, "root", form.write), (model,), revive, said=said)


def _saying(**parts: dict[str, Any]) -> dict[str, Any]:
    """Return a constraint of those parts that have one."""
    return {word: said for word, said in parts.items() if said}


def _saying_each(forms: Sequence[Form]) -> dict[str, Any]:
    said = [form.said for form in forms]
    return {"prefixItems": said} if any(said) else {}


def doc_of(cls: type) -> str:
    """Return the docstring that the author gave this very class; empty when there is none."""
    doc = vars(generic_origin(cls)).get("__doc__")
    return cleandoc(doc) if doc and doc != "An enumeration." else ""


def reviver(model: type[BaseModel]) -> Callable[[Any], Any]:
    """Return what makes an instance of `model` from an Avro datum."""
    validate = model.__pydantic_validator__.validate_python

    def revive(datum: Any) -> Any:
        try:
            return validate(datum, strict=False, by_alias=True, by_name=True)
        except ValidationError as error:
            path, text = refused(error)[0]
            raise UnreadableError(f"{model.__name__} refuses {path or 'the whole'}: {text}") from error

    return revive


def _untuple(size: int) -> Callable[[Any], Any]:
    names = [f"_{index}" for index in range(size)]
    return lambda datum: tuple(datum[name] for name in names)


def _values(cls: type[Enum]) -> dict[Any, Enum]:
    try:
        return {member.value: member for member in cls}
    except TypeError:  # values that cannot be hashed never stand for their member
        return {}

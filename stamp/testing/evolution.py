"""How schemas evolve: steps that readers of old data survive, and steps that break them, done by somebody's choices.

`new` is what reads and `old` what was written. What is safe stays so together: every name that a step gives is new, fields that come
have defaults, and what is renamed keeps its old names as aliases, the last one first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from stamp.schema.conventions import deviations
from stamp.schema.lint import problems
from stamp.schema.names import NAMED, PRIMITIVES, Schema, namespace_of, unqualified
from stamp.schema.resolve import PROMOTIONS
from stamp.schema.types import MISSING
from stamp.testing.author import Author, Choose, names_in
from stamp.testing.outline import Outline, Slot

__all__ = ["STEPS", "Effect", "Evolution", "Step", "evolve", "write"]


class Effect(StrEnum):
    """What a step does to whoever reads old data with the new schema.

    Legal: every datum is read, and means the same. Doubtful: a check has no error, though data may be refused or mean something else.
    Breaking: some datum cannot be read.
    """

    LEGAL = "legal"
    DOUBTFUL = "doubtful"
    BREAKING = "breaking"


class Evolution(NamedTuple):
    """A schema, what became of it, and the names of the steps."""

    old: Any
    new: Any
    steps: tuple[str, ...]


class Edit(NamedTuple):
    """An outline that is being changed, who writes new types for it, and who chooses."""

    outline: Outline
    author: Author
    choose: Choose


class Step(NamedTuple):
    """One way to change a schema, at a place of one of `kinds`; `change` tells whether it could."""

    name: str
    effect: Effect
    kinds: frozenset[str]
    change: Callable[[Edit, Slot], bool]


def write(choose: Choose, *, depth: int = 3, recursion: bool = False, record: bool = False) -> Any:
    """Return a legal schema of at most about `depth` levels; that of a record, if so wanted."""
    outline = Outline({}, {})
    author = Author(choose, outline, recursion=recursion)
    outline.top["type"] = author.record(depth - 1) if record else author.type(depth)
    return outline.schema()


def evolve(
    schema: Schema, choose: Choose, *, steps: Sequence[Step], most: int = 3, recursion: bool = False
) -> Evolution:
    """Return what becomes of a legal schema by one to `most` of some steps; by none if none of them can be done there.

    A step whose outcome would not be legal, such as a union with two branches of a kind, is not done.
    """
    new, done, taken = schema, tuple[str, ...](), {*names_in(schema)}
    for _ in range(choose(range(1, most + 1))):
        found = _stepped(new, choose, steps, taken, recursion=recursion)
        if found is not None:
            new, name = found
            done = (*done, name)
    return Evolution(schema, new, done)


MAX_ATTEMPTS: Final = 10
"""How many steps are tried before a schema is left as it is."""


def _stepped(
    schema: Any, choose: Choose, steps: Sequence[Step], taken: set[str], *, recursion: bool
) -> tuple[Any, str] | None:
    for _ in range(MAX_ATTEMPTS):
        outline = Outline.of(schema)
        slots = list(outline.slots())
        kinds = {slot.kind for slot in slots}
        possible = [step for step in steps if step.kinds & kinds]
        if not possible:
            return None
        step = choose(possible)
        slot = choose([each for each in slots if each.kind in step.kinds])
        edit = Edit(outline, Author(choose, outline, taken=taken, recursion=recursion), choose)
        if step.change(edit, slot) and _is_plain(new := outline.schema(), schema, recursion=recursion):
            return new, step.name
    return None


def _is_plain(new: Any, old: Any, *, recursion: bool) -> bool:
    """Tell whether a schema is legal, and has nothing more than `old` that other libraries may take otherwise."""
    return not problems(new, recursion=recursion) and len([*deviations(new)]) <= len([*deviations(old)])


# -- records


def _add_field(edit: Edit, slot: Slot) -> bool:
    type_ = edit.author.type(1)
    default = edit.author.default(type_)
    return default is not MISSING and _insert(edit, slot, {"type": type_, "default": default})


def _add_required_field(edit: Edit, slot: Slot) -> bool:
    return _insert(edit, slot, {"type": edit.author.type(1)})


def _insert(edit: Edit, slot: Slot, field: dict[str, Any]) -> bool:
    fields = slot.node["fields"]
    fields.insert(edit.choose((len(fields), 0)), {"name": edit.author.fresh("f"), **field})
    return True


def _drop_field(edit: Edit, slot: Slot) -> bool:
    if fields := slot.node["fields"]:
        fields.remove(edit.choose(fields))
    return bool(fields)


def _rename_field(edit: Edit, slot: Slot) -> bool:
    if fields := slot.node["fields"]:
        field = edit.choose(fields)
        _keep_name(field)
        field["name"] = edit.author.fresh("f")
    return bool(fields)


def _replace_field(edit: Edit, slot: Slot) -> bool:
    if fields := slot.node["fields"]:
        field = edit.choose(fields)
        for key in ("aliases", "default"):
            field.pop(key, None)
        field["name"] = edit.author.fresh("f")
    return bool(fields)


def _reorder_fields(edit: Edit, slot: Slot) -> bool:
    return _turned(edit, slot.node["fields"])


def _turned(edit: Edit, listed: list[Any]) -> bool:
    if len(listed) > 1:
        by = edit.choose(range(1, len(listed)))
        listed[:] = listed[by:] + listed[:by]
    return len(listed) > 1


def _change_default(edit: Edit, slot: Slot) -> bool:
    fields = [each for each in slot.node["fields"] if "default" in each]
    if not fields:
        return False
    field = edit.choose(fields)
    before, field["default"] = field["default"], edit.author.default(field["type"])
    return field["default"] not in (before, MISSING)


# -- names


def _keep_name(node: dict[str, Any]) -> None:
    """Make the name that a field or type has the first of its aliases: the one that was written last."""
    node["aliases"] = list(dict.fromkeys((node["name"], *node.get("aliases", ()))))


def _rename_type(edit: Edit, slot: Slot) -> bool:
    _keep_name(slot.node)
    return _named(edit, slot.node, namespace_of(slot.node["name"]))


def _replace_type(edit: Edit, slot: Slot) -> bool:
    slot.node.pop("aliases", None)
    return _named(edit, slot.node, namespace_of(slot.node["name"]))


def _named(edit: Edit, node: dict[str, Any], namespace: str) -> bool:
    node["name"] = namespace + "." * bool(namespace) + edit.author.fresh("N")
    return True


def _move(edit: Edit, slot: Slot) -> bool:
    _keep_name(slot.node)
    return _moved(edit, slot)


def _moved(edit: Edit, slot: Slot) -> bool:
    present = namespace_of(slot.node["name"])
    others = [each for each in (*edit.author.namespaces, "moved", "moved.again") if each not in {"", present}]
    slot.node["name"] = f"{edit.choose(others)}.{unqualified(slot.node['name'])}"
    return present != ""


# -- enums and fixed


def _add_symbol(edit: Edit, slot: Slot) -> bool:
    symbols = slot.node["symbols"]
    symbols.insert(edit.choose((len(symbols), 0)), edit.author.fresh("S"))
    return True


def _drop_symbol(edit: Edit, slot: Slot) -> bool:
    slot.node.pop("default", None)
    return _dropped(edit, slot.node["symbols"])


def _default_for_symbol(edit: Edit, slot: Slot) -> bool:
    symbols = slot.node["symbols"]
    done = _dropped(edit, symbols)
    slot.node["default"] = edit.choose(symbols)
    return done


def _dropped(edit: Edit, listed: list[Any]) -> bool:
    if len(listed) > 1:
        listed.remove(edit.choose(listed))
        return True
    return False


def _reorder_symbols(edit: Edit, slot: Slot) -> bool:
    return _turned(edit, slot.node["symbols"])


def _resize(_: Edit, slot: Slot) -> bool:
    for key in ("logicalType", "precision", "scale"):  # some need the size that they have
        slot.node.pop(key, None)
    slot.node["size"] += 1
    return True


# -- unions


def _widen(edit: Edit, slot: Slot) -> bool:
    slot.node.append(edit.author.branch(1))
    return True


def _make_optional(edit: Edit, slot: Slot) -> bool:
    if slot.is_branch or slot.is_definition or slot.node == "null" or _is_top(edit, slot):
        return False
    has_default = slot.field is not None and "default" in slot.field
    slot.fill([slot.node, "null"] if has_default else ["null", slot.node])
    return True


def _is_top(edit: Edit, slot: Slot) -> bool:
    """Tell whether a type is the outermost and has a name: a contract's record stays one."""
    return slot.holder is edit.outline.top and slot.kind == "reference"


def _reorder_branches(edit: Edit, slot: Slot) -> bool:
    return _turned(edit, slot.node)


def _narrow(edit: Edit, slot: Slot) -> bool:
    lonely = [each for each in slot.node if _kind(each) not in PROMOTIONS]  # no other branch could take its data
    if not lonely or len(slot.node) == 1:
        return False
    slot.node.remove(edit.choose(lonely))
    return True


def _kind(node: Any) -> str:
    return str(node if isinstance(node, str) else node["type"])


# -- leaves


def _promote(edit: Edit, slot: Slot) -> bool:
    return _retyped(edit, slot, _SAFE.get(slot.kind, ()))


def _bytes_as_text(edit: Edit, slot: Slot) -> bool:
    return _retyped(edit, slot, ("string",))


def _demote(edit: Edit, slot: Slot) -> bool:
    return not slot.is_branch and _retyped(edit, slot, _DEMOTIONS[slot.kind])


def _retyped(edit: Edit, slot: Slot, kinds: Sequence[str]) -> bool:
    if not slot.logical:
        slot.fill(edit.choose(kinds))
    return not slot.logical


def _retype(edit: Edit, slot: Slot) -> bool:
    if slot.is_branch or slot.is_definition or _is_top(edit, slot):
        return False
    if slot.field is not None:
        slot.field.pop("default", None)
    others = ("boolean" if slot.kind != "boolean" else "string", edit.author.fixed(0), edit.author.enum(0))
    slot.fill(edit.choose(others))
    return True


def _refine(_: Edit, slot: Slot) -> bool:
    if slot.logical == "decimal":
        slot.fill(slot.node | {"precision": slot.node["precision"] + 2, "scale": slot.node.get("scale", 0) + 1})
    elif slot.logical in _FINER:
        slot.fill({"type": "long", "logicalType": _FINER[slot.logical]})
    else:
        return False
    return True


def _coarsen(_: Edit, slot: Slot) -> bool:
    if slot.is_branch:
        return False
    if slot.logical == "decimal" and slot.node["precision"] > slot.node.get("scale", 0) > 0:
        slot.fill(slot.node | {"scale": slot.node["scale"] - 1})
    elif slot.logical in _COARSER:
        slot.fill({"type": "long", "logicalType": _COARSER[slot.logical]})
    else:
        return False
    return True


def _forget_meaning(_: Edit, slot: Slot) -> bool:
    had_one = bool(slot.logical)
    slot.fill(slot.kind)
    return had_one


def _add_meaning(edit: Edit, slot: Slot) -> bool:
    has_one = bool(slot.logical)
    slot.fill({"type": slot.kind, **edit.choose(_MEANINGS[slot.kind])})
    return not has_one


def _take_for_uuid(_: Edit, slot: Slot) -> bool:
    has_one = bool(slot.logical)
    slot.fill({"type": slot.kind, "logicalType": "uuid"})
    return not has_one


_SAFE: Final[Mapping[str, Sequence[str]]] = {
    kind: sorted(wider) for kind, wider in PROMOTIONS.items() if kind != "bytes"
}
_DEMOTIONS: Final[Mapping[str, Sequence[str]]] = {
    "long": ("int",),
    "float": ("int", "long"),
    "double": ("float", "long"),
}
_FINER: Final[Mapping[str, str]] = {
    f"{each}-millis": f"{each}-micros" for each in ("time", "timestamp", "local-timestamp")
}
_COARSER: Final[Mapping[str, str]] = {
    "timestamp-micros": "timestamp-millis",
    "local-timestamp-micros": "local-timestamp-millis",
}
_MEANINGS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "int": ({"logicalType": "date"}, {"logicalType": "time-millis"}),
    "long": ({"logicalType": "timestamp-micros"}, {"logicalType": "timestamp-millis"}, {"logicalType": "time-micros"}),
    "bytes": ({"logicalType": "decimal", "precision": 9, "scale": 2},),
}

_RECORD, _ENUM, _UNION = frozenset({"record"}), frozenset({"enum"}), frozenset({"union"})
_ANY: Final = PRIMITIVES | {"array", "map", "union", "reference"}
_LEGAL, _DOUBTFUL, _BREAKING = Effect.LEGAL, Effect.DOUBTFUL, Effect.BREAKING

STEPS: Final[Sequence[Step]] = (
    Step("add a field with a default", _LEGAL, _RECORD, _add_field),
    Step("drop a field", _LEGAL, _RECORD, _drop_field),
    Step("rename a field, with an alias", _LEGAL, _RECORD, _rename_field),
    Step("reorder fields", _LEGAL, _RECORD, _reorder_fields),
    Step("rename a type, with an alias", _LEGAL, NAMED, _rename_type),
    Step("move a type, with an alias", _LEGAL, NAMED, _move),
    Step("add a symbol", _LEGAL, _ENUM, _add_symbol),
    Step("widen a union", _LEGAL, _UNION, _widen),
    Step("reorder a union", _LEGAL, _UNION, _reorder_branches),
    Step("make a type optional", _LEGAL, _ANY - {"union"}, _make_optional),
    Step("promote a type", _LEGAL, frozenset(_SAFE), _promote),
    Step("make a unit finer", _LEGAL, frozenset({"int", "long", "bytes"}), _refine),
    Step("move a type, without an alias", _DOUBTFUL, NAMED, _moved),
    Step("change a default", _DOUBTFUL, _RECORD, _change_default),
    Step("drop a symbol, with a default", _DOUBTFUL, _ENUM, _default_for_symbol),
    Step("reorder symbols", _DOUBTFUL, _ENUM, _reorder_symbols),
    Step("read bytes as text", _DOUBTFUL, frozenset({"bytes"}), _bytes_as_text),
    Step("forget a logical type", _DOUBTFUL, frozenset({"int", "long", "bytes", "string"}), _forget_meaning),
    Step("add a logical type", _DOUBTFUL, frozenset(_MEANINGS), _add_meaning),
    Step("add a field without a default", _BREAKING, _RECORD, _add_required_field),
    Step("rename a field, without an alias", _BREAKING, _RECORD, _replace_field),
    Step("rename a type, without an alias", _BREAKING, NAMED, _replace_type),
    Step("drop a symbol, without a default", _BREAKING, _ENUM, _drop_symbol),
    Step("resize a fixed", _BREAKING, frozenset({"fixed"}), _resize),
    Step("narrow a union", _BREAKING, _UNION, _narrow),
    Step("narrow a number", _BREAKING, frozenset(_DEMOTIONS), _demote),
    Step("change a type", _BREAKING, _ANY, _retype),
    Step("take text for a UUID", _BREAKING, frozenset({"string"}), _take_for_uuid),
    Step("make a unit coarser", _BREAKING, frozenset({"long", "bytes"}), _coarsen),
)
"""What evolutions are made of."""

"""What Avro 1.12 allows is accepted and read, what it forbids is refused; and where other libraries see it otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from pydantic import BaseModel

from stamp.compat import Severity, check, prove, with_witnesses
from stamp.errors import DecodeError, ResolutionError, SchemaError
from stamp.schema import Catalog, SchemaId, decoder, lint
from stamp.schema.conventions import CONVENTIONS, deviations, keep_conventions
from stamp.schema.defaults import encode_default
from stamp.schema.limits import MAX_WEIGHTLESS
from stamp.schema.model import bind
from stamp.schema.types import MISSING, load

VECTORS = Path(__file__).parents[1] / "vectors" / "avro-legal-cases.jsonl"
CASES = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(type_: Any, name: str = "x", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def cases(*, legal: bool) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in CASES if (case["read"] is not None) is legal]


@pytest.mark.parametrize("case", cases(legal=True))
def test_what_is_legal_is_accepted_and_read(case: dict[str, Any]) -> None:
    reader, writer = case["reader"], case["writer"]

    assert [each for each in check(reader, writer) if each.severity is Severity.ERROR] == []

    read = decoder(writer, reader)(bytes.fromhex(case["data"]))
    assert read == decoder(reader)(bytes.fromhex(case["read"]))
    assert prove(reader, writer) >= 1
    assert SchemaId.of(json.loads(json.dumps(reader))) == SchemaId.of(reader)


@pytest.mark.parametrize("case", cases(legal=True))
def test_the_default_of_a_union_is_of_the_branch_that_it_fits_whole(case: dict[str, Any]) -> None:
    root = load(case["reader"])
    if case["writer"] == record() and root.fields and root.fields[0].default is not MISSING:
        assert encode_default(root.fields[0].type, root.fields[0].default).hex() == case["read"]


@pytest.mark.parametrize("case", cases(legal=False))
def test_what_is_not_legal_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        check(case["reader"], case["writer"])
    with pytest.raises(SchemaError):
        lint(case["reader"])


BOUNDED: Final = {
    "an array of nulls": "take bytes",
    "an array of a fixed of no bytes": "take bytes",
    "an array of empty records": "take bytes",
    "a type that contains itself": "contain itself",
    "two nulls in an array": "take bytes",
    "empty records in an array": "take bytes",
    "fixed of no bytes in an array": "take bytes",
}
"""Legal schemas whose data have no bound: a check takes them, and a catalog, which decodes what strangers send, does not."""


@pytest.mark.parametrize("case", cases(legal=True))
def test_the_catalog_takes_what_is_legal_and_bounded(case: dict[str, Any]) -> None:
    if case["name"] in BOUNDED:
        with pytest.raises(SchemaError, match=BOUNDED[case["name"]]):
            Catalog().with_schema(case["reader"])
    else:
        assert len(Catalog().with_schema(case["reader"])) == 1


_FIRST_OF_KIND = (
    "the default of a union is of the first branch of its JSON kind, fits or not",
    "union: the second of two records",
    "union: the first record is completed by defaults and has no such field",
    "union: a map before a record",
    "union: enum or string",
    "union: fixed or bytes",
    "union: bytes or string, Ā",
    "union: int or long",
    "union: int or double",
    "union: float or double, too large",
    "union: two fixed by size",
    "union: two enums by symbol",
    "union of an array of records and a map",
    "union: records that differ deep inside",
    "nested record completed by its own default union",
)
_PRIMITIVE_NAMES = (
    "names of primitive types may not be defined in any namespace",
    "a record named a.int",
    "a record named a.null",
    "a record named a.string",
)
_SIMPLE_PRIMITIVE_NAMES = (
    "names of primitive types may not be defined",
    "a record named int",
    "a record named null",
    "a record named string",
)
_DEFAULTS_UNSEEN = (
    "a default is one that its type can have",
    "union: no branch fits",
    "union: no record fits",
    "an item of no branch",
    "a text for an int",
    "1.0 for an int",
    "2^31 for an int",
    "null for a string",
    "NaN as text for a double",
    "a symbol that is none",
    "Ā for bytes",
    "too few bytes for a fixed",
    "a record without a field",
)
_BYTES_AS_TEXT = ("the default of bytes and fixed is one character a byte", "ÿ for bytes")

OTHERS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "java": (
        _FIRST_OF_KIND,
        _PRIMITIVE_NAMES,
        ("a named type is not the kind whose name it has", "a type named array in a union beside an array"),
        (
            "a name is defined before it is used, and a simple one belongs to the namespace around it",
            "a reference before the definition",
            "a reference from a namespace to the null namespace",
        ),
        ("a name is defined once, even if twice the same", "one name twice"),
        ("any text is an alias", "a type alias that is no name"),
        ("doc and the default of an enum are strings", "a doc that is no text", "an enum default that is null"),
        (
            "a default is one that its type can have, and JSON has no NaN",
            "NaN as text for a double",
            "a symbol that is none",
            "Ā for bytes",
            "too few bytes for a fixed",
        ),
    ),
    "fastavro": (
        _PRIMITIVE_NAMES,
        _SIMPLE_PRIMITIVE_NAMES,
        (
            "names are of ASCII letters, digits and _",
            "a simple name beside a namespace that is none",
            "a name with a hyphen",
            "a name with é",
            "a namespace with a hyphen",
            "a field with a dot",
        ),
        ("a named type is not the kind whose name it has", "a type named array referred to in the null namespace"),
        ("aliases are a list of texts", "aliases that are a text", "an alias that is a number"),
        ("aliases rename the writer's fields, all at once", "two fields swap names"),
        (
            "an invalid logical type is ignored",
            "a decimal with a scale over its precision",
            "a decimal without precision",
            "a decimal of precision 0",
            "a decimal whose precision is a text",
            "a decimal over its fixed",
            "a decimal on a fixed of no bytes",
        ),
        ("order and doc have their own values", "an order that is none", "a doc that is no text"),
        (
            "a union has each type once, and no union",
            "two arrays in a union",
            "a union in a union",
            "a type twice in a union",
        ),
        ("a size is an integer, 0 or more", "a fixed of -1", "a fixed of 1.0"),
        (
            *_DEFAULTS_UNSEEN[:1],
            "union: no record fits",
            "an item of no branch",
            "2^31 for an int",
            "NaN as text for a double",
            "a symbol that is none",
            "Ā for bytes",
            "too few bytes for a fixed",
            "a record without a field",
        ),
        (
            *_BYTES_AS_TEXT,
            "union: fixed or bytes",
            "union: fixed that fits",
            "union: two fixed by size",
            "fixed of no bytes in an array",
            "no bytes for a fixed of none",
        ),
    ),
    "avro": (
        _PRIMITIVE_NAMES,
        ("an empty namespace is the null namespace", "an empty namespace inside another"),
        (
            "a simple name belongs to the namespace around it",
            "a reference from a namespace to the null namespace",
        ),
        ("names are of ASCII letters, digits and _", "a field with a dot"),
        ("aliases are a list of texts", "aliases that are a text", "an alias that is a number"),
        ("aliases rename the writer's fields (it does not use them)", "two fields swap names"),
        ("a doc is a string", "a doc that is no text"),
        (
            "the default of a union is of the first branch that it fits (it takes the first branch, or guesses when it writes)",
            "union: null of the second branch",
            "union: the second of two records",
            "union: the first record is completed by defaults and has no such field",
            "union: a map before a record",
            "union: a map that fits",
            "union: enum",
            "union: fixed that fits",
            "union: bytes or string, Ā",
            "union: int or double",
            "union: double or int",
            "union in an array",
            "union in a map",
            "union in a record",
            "union of an array of records and a map",
            "union of arrays by items is one array",
            "union: records that differ deep inside",
            "nested record completed by its own default union",
        ),
        _DEFAULTS_UNSEEN,
        _BYTES_AS_TEXT,
        ("the default of a float or double is a number", "an int for a double", "an int for a float"),
    ),
}
"""By library: rules of the specification (1.12) that it does not keep, each with the cases that show it."""


@pytest.mark.parametrize("library", list(OTHERS))
def test_other_libraries_agree_but_for_what_they_are_known_to_do_otherwise(library: str) -> None:
    expected = {case["name"]: "refused" if case["read"] is None else f"read {case['read']}" for case in CASES}
    different = {case["name"] for case in CASES if case[library] != expected[case["name"]]}
    assert different == {name for _, *names in OTHERS[library] for name in names}


# -- defaults without a value


WITHOUT_VALUE: Final[Mapping[str, tuple[Any, Any]]] = {
    "a UUID of no text": ({"type": "string", "logicalType": "uuid"}, ""),
    "a decimal of no bytes": ({"type": "bytes", "logicalType": "decimal", "precision": 4}, ""),
    "a decimal of too many digits": ({"type": "bytes", "logicalType": "decimal", "precision": 1}, "\x0a"),
    "a day after the last": ({"type": "int", "logicalType": "date"}, 2_932_897),
    "24 o'clock": ({"type": "int", "logicalType": "time-millis"}, 86_400_000),
    "in an array": ({"type": "array", "items": {"type": "string", "logicalType": "uuid"}}, ["x"]),
    "in a map of a union": ({"type": "map", "values": [{"type": "string", "logicalType": "uuid"}, "null"]}, {"k": ""}),
    "in the default that completes a record": (
        record(field({"type": "int", "logicalType": "time-millis"}, default=-1), name="I"),
        {},
    ),
}


@pytest.mark.parametrize(("type_", "default"), WITHOUT_VALUE.values(), ids=list(WITHOUT_VALUE))
def test_a_default_without_a_value_is_legal_and_fills_nothing(type_: Any, default: Any) -> None:
    reader = record(field(type_, default=default))

    assert check(reader, reader) == ()
    lint(reader)

    (finding,) = with_witnesses(check(reader, record()), reader, record())
    assert (finding.rule, finding.severity) == ("reader-field-missing-default-value", Severity.ERROR)
    assert "is no value of" in finding.message
    assert finding.witness is not None
    with pytest.raises(ResolutionError, match="no value of"):
        decoder(record(), reader)(b"")
    assert {each.rule for each in deviations(reader)} == {"default-without-value"}


# -- arrays of items without bytes

WEIGHTLESS: Final[Mapping[str, tuple[Any, Any]]] = {
    "null": ("null", None),
    "a fixed of no bytes": ({"type": "fixed", "name": "N", "size": 0}, ""),
    "empty records": (record(name="E"), {}),
    "records of nothing": (record(field("null"), field(record(name="E"), "y"), name="N"), {"x": None, "y": {}}),
}


@pytest.mark.parametrize(("item", "value"), WEIGHTLESS.values(), ids=list(WEIGHTLESS))
def test_items_without_bytes_are_read_up_to_a_bound(item: Any, value: Any) -> None:
    def reader(count: int) -> Any:
        return record(field({"type": "array", "items": item}, default=[value] * count))

    full = reader(MAX_WEIGHTLESS)
    assert check(full, record()) == ()
    assert len(decoder(record(), full)(b"")["x"]) == MAX_WEIGHTLESS
    assert prove(full, record()) == 1
    assert len(decoder(full)(b"\xd0\x0f\x00")["x"]) == MAX_WEIGHTLESS
    with pytest.raises(DecodeError, match="at most 1000 items"):
        decoder(full)(b"\xd2\x0f\x00")
    with pytest.raises(
        SchemaError, match=r"R\.x: expected a default of at most 1000 items that take no bytes, got 1001"
    ):
        check(reader(MAX_WEIGHTLESS + 1), record())


# -- what is ignored


@pytest.mark.parametrize(
    ("schema", "path", "text"),
    [
        ({"type": "long", "logicalType": "date"}, "", "expected logicalType date on int, got it on long"),
        (record(field("long", logicalType="date")), "x", "expected logicalType inside the type"),
        (record(field(["null", {"type": "int", "logicalType": 7}])), "x", "a logicalType that is a string, got 7"),
        (record(field("int", stamp="2020")), "x", 'expected an object under stamp, got "2020"'),
        ({"type": "map", "values": {"type": "bytes", "logicalType": "decimal"}}, "{}", "precision of 1 to 1000"),
    ],
)
def test_what_is_ignored_is_told(schema: Any, path: str, text: str) -> None:
    (finding,) = check(schema, schema)
    assert (finding.rule, finding.severity, finding.path) == ("attribute-ignored", Severity.WARNING, path)
    assert text in finding.message
    assert finding.message.startswith("the reader's is ignored")


def test_what_the_writer_has_to_ignore_is_told_where_it_is_read() -> None:
    wrong = record(field({"type": "long", "logicalType": "date"}), field("long", "y", logicalType="date"))
    right = record(field("long"), field("long", "y"))
    found = check(right, wrong)
    assert [(each.rule, each.path) for each in found] == [("attribute-ignored", "y"), ("attribute-ignored", "x")]
    assert all(each.message.startswith("the writer's is ignored") for each in found)


# -- conventions of our own schemas

AGAINST: Final[Mapping[str, Any]] = {
    "type-name-taken": record(name="a.record"),
    "type-empty": record(field(["null", {"type": "enum", "name": "E", "symbols": []}])),
    "alias-illegal": record(field("int", aliases=["a-b"])),
    "alias-taken": record(field("int"), field("int", "y", aliases=["x"])),
    "default-not-first": record(field({"type": "array", "items": ["null", "int"]}, default=[1])),
    "default-without-value": record(field({"type": "string", "logicalType": "uuid"}, default="")),
    "attribute-ignored": record(field("long", logicalType="date")),
}


@pytest.mark.parametrize("rule", list(CONVENTIONS))
def test_a_convention_is_no_law(rule: str) -> None:
    lint(AGAINST[rule])
    check(AGAINST[rule], AGAINST[rule])
    assert [each.rule for each in deviations(AGAINST[rule])] == [rule]
    with pytest.raises(SchemaError, match=rf"\[{rule}\]$"):
        keep_conventions(AGAINST[rule])


class union(BaseModel):  # noqa: N801 - what a model must not be called
    x: int = 1


class Named(BaseModel):
    __avro__ = {"name": "union"}
    x: int = 1


class Inside(BaseModel):
    parts: list[Named] = []


class Chosen(BaseModel):
    kind: Literal["a", "b"] | union | None = None


@pytest.mark.parametrize("model", [union, Named, Inside, Chosen])
def test_a_model_against_a_convention_is_refused_with_its_name(model: type[BaseModel]) -> None:
    with pytest.raises(SchemaError, match=r'got "union" \[type-name-taken\]$'):
        bind(model)


def test_the_docs_list_the_conventions() -> None:
    page = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    assert all(f"| {rule} | {text} |\n" in page for rule, text in CONVENTIONS.items())


def test_defaults_that_complete_each_other_have_a_depth() -> None:
    """What a check calls readable, a decoder reads: it goes 32 levels deep."""

    def chain(length: int) -> Any:
        links = [record(field("int", default=0), name="C0")]
        links += [record(field(f"C{n - 1}", default={}), name=f"C{n}") for n in range(1, length)]
        return record(
            *(field(link, f"f{number}") for number, link in enumerate(links)), field(f"C{length - 1}", default={})
        )

    held = chain(32)
    writer = {**held, "fields": held["fields"][:-1]}
    assert check(held, writer) == ()
    assert prove(held, writer) >= 1
    with pytest.raises(SchemaError, match=r"R\.x: expected a default of at most 32 levels, got more with the defaults"):
        check(chain(33), writer)


def nested(name: str, depth: int, around: Callable[[Any], Any] = lambda value: value) -> Any:
    """Return the default of a record that has one of its own kind inside, and so on; the last one has none."""
    value = None
    for _ in range(depth):
        value = {name: around(value)}
    return value


@pytest.mark.parametrize(
    ("link", "around"),
    [
        pytest.param(lambda of: ["null", of], lambda value: value, id="records"),
        pytest.param(
            lambda of: {"type": "array", "items": ["null", of]}, lambda value: [value] if value else [], id="arrays"
        ),
        pytest.param(
            lambda of: {"type": "map", "values": ["null", of]}, lambda value: {"k": value} if value else {}, id="maps"
        ),
    ],
)
def test_the_depth_of_a_default_counts_what_it_gives_and_what_completes_it(
    link: Callable[[Any], Any], around: Callable[[Any], Any]
) -> None:
    def deep(given: int, completing: int) -> Any:
        leaf = record(field(link("Leaf"), "next"), name="Leaf")
        tail = field(["null", leaf], "tail", default=nested("next", completing, around))
        node = record(field(link("Node"), "next"), tail, name="Node")
        return record(field(node, "f", default=nested("next", given, around)))

    levels = 1 if around(None) is None else 2
    for given, completing in ((1, 31 // levels), (20 // levels, 12 // levels), (31 // levels, 1)):
        held = deep(given, completing)
        assert check(held, record()) == ()
        assert decoder(record(), held)(b"")["f"]["tail"] is not None
        assert prove(held, record()) >= 1
    for given, completing in ((20 // levels, 20 // levels), (2, 32 // levels), (32 // levels, 2)):
        with pytest.raises(SchemaError, match="expected a default of at most 32 levels, got more with the defaults"):
            check(deep(given, completing), record())

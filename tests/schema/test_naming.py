from decimal import Decimal
from enum import Enum
from typing import Optional, TypeVar

import pytest
from pydantic import (
    BaseModel,
    Field,
    create_model,
)

from stamp.errors import SchemaError
from stamp.schema import avro_schema

B = TypeVar("B", bound=int)


class Color(Enum):
    RED = "light red"
    BLUE = 2


class Item(BaseModel):
    price: Decimal = Field(max_digits=9, decimal_places=2)


class Tree(BaseModel):
    left: Optional["Tree"] = None
    children: list["Tree"] = []


COLOR = {"type": "enum", "name": "Color", "symbols": ["RED", "BLUE"]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
ITEM = {"type": "record", "name": "Item", "fields": [{"name": "price", "type": DECIMAL}]}


def array(items):
    return {"type": "array", "items": items}


def record(name, **fields):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": value} for key, value in fields.items()]}


def one_field(annotation, default=...):
    return create_model("M", x=(annotation, default))


def test_name_is_the_class_name_and_never_the_module():
    assert avro_schema(Item) == ITEM


def test_name_and_namespace_are_given():
    class M(BaseModel):
        item: Item
        items: list[Item]

    schema = avro_schema(M, name="Order", namespace="shop.v1")
    assert (schema["name"], schema["namespace"]) == ("Order", "shop.v1")
    assert schema["fields"][0]["type"] == ITEM
    assert schema["fields"][1]["type"] == array("Item")


def test_a_model_that_contains_itself_keeps_the_name_that_is_given(accepted):
    schema = avro_schema(Tree, name="Root")
    assert schema["fields"][0]["type"] == ["null", "Root"]
    assert schema["fields"][1]["type"] == array("Root")
    accepted(schema)


@pytest.mark.parametrize(
    "given", [{"name": "a.b"}, {"name": "1"}, {"name": "string"}, {"name": "map"}, {"namespace": "a..b"}, {"name": "é"}]
)
def test_illegal_names_are_refused(given):
    with pytest.raises(SchemaError, match=r"Item: expected a .*legal"):
        avro_schema(Item, **given)


def test_a_class_with_a_foreign_name_is_refused_where_it_is_used():
    with pytest.raises(SchemaError, match=r"M\.x: .*'Größe'.*__avro__"):
        avro_schema(one_field(create_model("Größe", n=(int, ...))))


def other_item():
    return create_model("Item", name=(str, ...))


@pytest.mark.parametrize(("namespace", "extended"), [(None, "Owner"), ("shop", "shop.Owner")])
def test_the_second_class_of_one_name_gets_its_owner_as_namespace(namespace, extended, accepted):
    other = other_item()
    owner = create_model("Owner", item=(other, ...), again=(list[other], ...))
    schema = avro_schema(
        create_model("M", item=(Item, ...), owner=(owner, ...), last=(other, ...)), namespace=namespace
    )
    inner = schema["fields"][1]["type"]
    assert inner["fields"][0]["type"] == {
        "type": "record",
        "name": "Item",
        "namespace": extended,
        "fields": [{"name": "name", "type": "string"}],
    }
    assert inner["fields"][1]["type"] == array(f"{extended}.Item")
    assert schema["fields"][2]["type"] == f"{extended}.Item"
    accepted(schema)


def test_types_inside_the_second_class_of_one_name_are_in_the_namespace_of_all(accepted):
    other = create_model("Item", color=(Color, ...))
    model = create_model(
        "M", item=(Item, ...), owner=(create_model("Owner", item=(other, ...), color=(Color, ...)), ...)
    )
    schema = avro_schema(model, namespace="shop")
    second = schema["fields"][1]["type"]["fields"][0]["type"]
    assert second["fields"][0]["type"] == COLOR | {"namespace": "shop"}
    assert schema["fields"][1]["type"]["fields"][1]["type"] == "Color"
    accepted(schema)


def test_types_inside_the_second_class_of_one_name_are_beside_it_when_there_is_no_namespace(accepted):
    other = create_model("Item", color=(Color, ...))
    model = create_model(
        "M", item=(Item, ...), owner=(create_model("Owner", item=(other, ...), color=(Color, ...)), ...)
    )
    schema = avro_schema(model)
    second = schema["fields"][1]["type"]["fields"][0]["type"]
    assert second["fields"][0]["type"] == COLOR
    assert schema["fields"][1]["type"]["fields"][1]["type"] == "Owner.Color"
    accepted(schema)


def test_a_reference_that_avro_cannot_write_asks_for_a_namespace(accepted):
    other = create_model("Item", color=(Color, ...))
    owner = create_model("Owner", color=(Color, ...), item=(other, ...))
    model = create_model("M", item=(Item, ...), owner=(owner, ...))
    with pytest.raises(SchemaError, match=r"Item\.color: expected a namespace"):
        avro_schema(model)
    accepted(avro_schema(model, namespace="shop"))


def test_a_third_class_of_one_name_under_one_owner_is_refused():
    owner = create_model("Owner", a=(Item, ...), b=(other_item(), ...), c=(other_item(), ...))
    with pytest.raises(SchemaError, match=r"Owner\.c: expected one type of the name Owner\.Item"):
        avro_schema(owner)


def test_two_tuples_of_different_types_with_one_name_are_refused():
    owner = create_model("Owner", a=(tuple[Item, int], ...), b=(tuple[other_item(), int], ...))
    with pytest.raises(SchemaError, match=r"Owner\.b: expected one type of the name Tuple2_Item_long"):
        avro_schema(owner)


def test_a_tuple_has_one_name_in_every_model():
    names = {
        avro_schema(create_model(name, x=(tuple[Item, int], ...)))["fields"][0]["type"]["name"] for name in ("A", "B")
    }
    assert names == {"Tuple2_Item_long"}


def test_hook_gives_what_python_cannot_say():
    class Size(Enum):
        __avro__ = {"name": "Measure", "aliases": ["Extent"], "default": "SMALL"}
        SMALL = 1
        LARGE = 2

    class M(BaseModel):
        __avro__ = {"name": "Order", "namespace": "shop", "aliases": ["Purchase", "old.Sale"]}
        size: Size

    assert avro_schema(M) == {
        "type": "record",
        "name": "Order",
        "namespace": "shop",
        "aliases": ["Purchase", "old.Sale"],
        "fields": [
            {
                "name": "size",
                "type": {
                    "type": "enum",
                    "name": "Measure",
                    "aliases": ["Extent"],
                    "symbols": ["SMALL", "LARGE"],
                    "default": "SMALL",
                },
            }
        ],
    }
    assert avro_schema(M, name="N", namespace="elsewhere")["name"] == "N"
    assert avro_schema(M, namespace="elsewhere")["namespace"] == "elsewhere"


def test_hook_of_a_nested_class_keeps_its_namespace(accepted):
    class Shared(BaseModel):
        __avro__ = {"namespace": "common"}
        color: Color

    schema = avro_schema(create_model("M", a=(Shared, ...), b=(Shared, ...), c=(Color, ...)), namespace="shop")
    shared = schema["fields"][0]["type"]
    assert shared["namespace"] == "common"
    assert shared["fields"][0]["type"]["namespace"] == "shop"
    assert schema["fields"][1]["type"] == "common.Shared"
    assert schema["fields"][2]["type"] == "Color"
    accepted(schema)


def test_hook_is_not_inherited():
    class Base(BaseModel):
        __avro__ = {"name": "Other"}

    class Derived(Base):
        pass

    assert avro_schema(Derived)["name"] == "Derived"


@pytest.mark.parametrize(
    "hook",
    [
        {"nmae": "X"},
        {"default": "A"},
        {"name": "a b"},
        {"namespace": ""},
        {"namespace": "1"},
        {"aliases": "X"},
        {"aliases": ["a-b"]},
        ["name"],
    ],
)
def test_wrong_hook_is_refused(hook):
    with pytest.raises(SchemaError, match=r"^M: expected a .* in __avro__"):
        avro_schema(type("M", (BaseModel,), {"__avro__": hook, "__annotations__": {}, "__module__": __name__}))


def test_enum_default_must_be_a_symbol():
    size = Enum("Size", {"A": 1})
    size.__avro__ = {"default": "B"}
    with pytest.raises(SchemaError, match="Size: expected a legal default"):
        avro_schema(one_field(size))

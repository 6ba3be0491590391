from decimal import Decimal
from enum import Enum
from typing import Optional

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    create_model,
    field_serializer,
    model_serializer,
)

from stamp.errors import SchemaError
from stamp.schema import avro_schema, bind


class Color(Enum):
    RED = "light red"
    BLUE = 2


class Item(BaseModel):
    price: Decimal = Field(max_digits=9, decimal_places=2)


class Tree(BaseModel):
    left: Optional["Tree"] = None
    children: list["Tree"] = []


class Tags(RootModel[list[str]]):
    pass


def one_field(annotation, default=...):
    return create_model("M", x=(annotation, default))


def serialized_field():
    class M(BaseModel):
        x: int

        @field_serializer("x")
        def hide(self, value: int) -> str:
            return "***"

    return M, "M.x"


def serialized_model():
    class M(BaseModel):
        x: int

        @model_serializer
        def hide(self) -> dict[str, int]:
            return {}

    return M, "M"


def open_model():
    return create_model("M", __config__=ConfigDict(extra="allow"), x=(int, ...)), "M"


def encoded_model():
    with pytest.warns(match="json_encoders"):
        return create_model("M", __config__=ConfigDict(json_encoders={int: str}), x=(int, ...)), "M"


def opaque_model():
    class M(BaseModel):
        x: int

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return handler(source)

    return M, "M"


@pytest.mark.parametrize("make", [serialized_field, serialized_model, open_model, encoded_model, opaque_model])
def test_model_is_refused_wherever_it_is_used(make):
    model, path = make()
    with pytest.raises(SchemaError, match="expected no ") as caught:
        avro_schema(model)
    assert caught.value.path == path
    with pytest.raises(SchemaError) as caught:
        avro_schema(create_model("Outer", inner=(model | None, None)))
    assert caught.value.path == path


def test_unfinished_model_is_refused():
    class M(BaseModel):
        x: "Never"  # noqa: F821

    with pytest.raises(SchemaError, match="M: expected a finished model"):
        avro_schema(M)


@pytest.mark.parametrize("root", [Tags, RootModel[Item], int, "Item", Item(price=Decimal(1)), Color])
def test_only_a_model_with_fields_is_a_contribution(root):
    with pytest.raises(SchemaError, match="a pydantic model with fields"):
        bind(root)


def test_a_root_model_that_contains_itself_is_refused():
    class Nest(RootModel[list["Nest"]]):
        pass

    Nest.model_rebuild(_types_namespace={"Nest": Nest})
    with pytest.raises(SchemaError, match=r"M\.x: .*contains itself"):
        avro_schema(one_field(Nest))


def test_schemas_share_nothing():
    first, second = avro_schema(Tree), avro_schema(Tree)
    first["fields"][0]["type"].append("long")
    assert second == avro_schema(Tree)

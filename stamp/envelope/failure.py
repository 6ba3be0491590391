"""What a failed contribution carries."""

from __future__ import annotations

from pydantic import BaseModel, Field

__all__ = ["Failure"]


class Failure(BaseModel):
    """Why a step failed. As a view it reads a step's failure: `assignment: Failure`."""

    __avro__ = {"namespace": "stamp"}

    type: str
    message: str
    detail: dict[str, str] = Field(default_factory=dict)

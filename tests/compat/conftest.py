"""Random schemas, their random successors, and random data of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st

from stamp.compat.datum import encode
from stamp.compat.sampler import Sampler
from stamp.schema.types import Type
from stamp.testing.evolution import STEPS, evolve, write

randoms = st.randoms(use_true_random=False)


@pytest.fixture(scope="session")
def written_schemas() -> st.SearchStrategy[Any]:
    """Random schemas, recursive ones too."""
    return randoms.map(lambda random: write(random.choice, recursion=True))


@pytest.fixture(scope="session")
def evolutions() -> st.SearchStrategy[tuple[Any, Any]]:
    """Pairs of a random schema and what became of it, by safe and by breaking steps."""

    def pair(random: Random) -> tuple[Any, Any]:
        old = write(random.choice, recursion=True)
        return old, evolve(old, random.choice, steps=STEPS, recursion=True).new

    return randoms.map(pair)


@pytest.fixture(scope="session")
def random_datum() -> Callable[[Random, Type], bytes]:
    """Returns random binary of a type, all within what its logical types allow."""

    def datum(random: Random, type_: Type) -> bytes:
        return encode(type_, Sampler(type_, type_, lambda _, options: random.choice(options)).datum())

    return datum

"""Topic rules, as RabbitMQ 3.10 has them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stamp.runtime.topic import matches

# pattern, what it takes, what it does not take
RULES = [
    ("order", ["order"], ["", "orders", "order.created", "Order"]),
    ("order.created", ["order.created"], ["order", "order.created.twice", "orderXcreated"]),
    ("*", ["order", "#"], ["", "order.created"]),
    ("#", ["", "order", "order.created", "."], []),
    ("order.*", ["order.created", "order."], ["order", "order.created.twice"]),
    ("*.failed", ["billing.failed", ".failed"], ["failed", "a.billing.failed"]),
    ("order.#", ["order", "order.created", "order.created.twice"], ["", "orders", "an.order"]),
    ("#.failed", ["failed", "billing.failed", "a.b.failed"], ["failed.again", "failure"]),
    ("a.#.z", ["a.z", "a.b.z", "a.z.z", "a.b.c.z"], ["a", "z", "a.z.b"]),
    ("#.#", ["", "a", "a.b"], []),
    ("*.#", ["a", "a.b"], [""]),
    ("#.a.#.b.#", ["a.b", "x.a.x.b.x", "a.a.b"], ["b.a", "a"]),
    ("a..b", ["a..b"], ["a.b", "a.x.b"]),
    ("a.*.b", ["a..b", "a.x.b"], ["a.b"]),
    ("", [""], ["a", "."]),
    ("order.[a-z]+", ["order.[a-z]+"], ["order.created"]),
]


@pytest.mark.parametrize(("pattern", "taken", "left"), RULES)
def test_a_pattern_takes_the_keys_of_the_table_and_no_others(pattern, taken, left):
    assert [key for key in taken + left if matches(pattern, key)] == taken


def obvious(pattern: list[str], words: list[str]) -> bool:
    """The rules as they are written down; slow."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(obvious(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and obvious(pattern[1:], words[1:])


@given(
    st.lists(st.sampled_from(["a", "b", "", "*", "#"]), min_size=1, max_size=7),
    st.lists(st.sampled_from(["a", "b", "", "*", "#"]), min_size=1, max_size=7),
)
@example(["a", "#", "b"], ["a", "b", "b", "a", "b"])
def test_matching_agrees_with_the_rules_as_they_are_written_down(pattern, words):
    key = ".".join(words)
    expected = ".".join(pattern) == key or obvious(pattern if pattern != [""] else [], words if words != [""] else [])
    assert matches(".".join(pattern), key) == expected


def test_many_hashes_do_not_make_it_slow():
    assert not matches("#.a." * 60 + "b", ".".join("a" * 250))

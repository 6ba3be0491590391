"""The aligned walk of two type graphs, writer beside reader, that gives each thing found its paths and its causes.

What can be read is settled before (`stamp.schema.resolve.Readability`, an exact fixpoint); the walk explains. It takes every way from
the roots to a pair that some rule has something to say of, through the branch of a union that the decoder takes. A way ends where it
comes to a pair that it has passed, so recursive types have finitely many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple

from stamp.compat.finding import Finding, Severity
from stamp.compat.quiet import is_quiet
from stamp.compat.rule import Issue, Pair, Rule
from stamp.compat.rules import MISSING_UNION_BRANCH, NAME_MISMATCH, RULES_BY_KIND, STRUCTURAL_BY_KIND
from stamp.compat.source import Source
from stamp.schema.defaults import gives_value
from stamp.schema.resolve import Readability, mismatch
from stamp.schema.types import Field, Type

__all__ = ["walk"]

MAX_WAYS: Final = 64
"""How many ways to one pair are told. Types that share types can have 2^n of them; nobody reads more."""

MAX_FINDINGS: Final = 2_000
"""After how many findings only one way is told to each pair that has not been told of. All that is wrong stays told: what a verdict hangs on is never left out."""

CUT: Final = "; it, or others of these types, can be reached by more ways than are told"


class _Place(NamedTuple):
    """A pair with the path and the pointer to it."""

    pair: Pair
    path: str = ""
    pointer: str = ""


class _Step(NamedTuple):
    """The way from a pair to one inside it, as additions to its path and pointer.

    `lacking`: the reader's union has no branch for the writer. `pair` is then what comes nearest, if anything does, and what is wrong
    with it is the cause. `branch` is the writer's branch in the pointer, where the finding is as Java has it.
    """

    pair: Pair | None
    path: str = ""
    pointer: str = ""
    lacking: Pair | None = None
    branch: str = ""


class _Frame:
    """A place on the way that is being walked, what is left to look at inside it, and what has been found."""

    __slots__ = ("found", "place", "step", "steps")

    def __init__(self, place: _Place, step: _Step | None, steps: Sequence[_Step]) -> None:
        self.place = place
        self.step = step
        self.steps = iter(steps)
        self.found: list[Finding] = []


def walk(reader: Source, writer: Source, readability: Readability, *, fragments: bool = True) -> Sequence[Finding]:
    """Return all findings about two schemas, in the order of the reader; what is wrong inside a union's branch as causes.

    Without `fragments` they do not say what is written at their places.
    """
    return _Walk(reader, writer, readability, fragments=fragments).findings()


class _Walk:
    def __init__(self, reader: Source, writer: Source, readability: Readability, *, fragments: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._root = Pair(writer.root, reader.root)
        self._readability = readability
        self._fragments = fragments
        self._told = 0
        self._numbers: dict[Field, int] = {}
        self._issues: dict[Pair, list[tuple[Rule, Issue]]] = {}
        self._steps: dict[Pair, list[_Step]] = {}

    @cached_property
    def _by_the_letter(self) -> Readability:
        return Readability(meaning=False)

    def findings(self) -> Sequence[Finding]:
        self._survey()
        worth = self._worth_a_visit()
        start = _Frame(_Place(self._root), None, self._wanted(self._root, worth))
        start.found += self._local(start.place)
        ways: dict[Pair, int] = {}
        is_cut = False
        on_the_way, stack = {self._root}, [start]
        while True:
            frame = stack[-1]
            step = next(frame.steps, None)
            if step is None:
                stack.pop()
                on_the_way.discard(frame.place.pair)
                if not stack:
                    return tuple(_cut(frame.found) if is_cut else frame.found)
                assert frame.step is not None
                stack[-1].found += self._wrapped(stack[-1].place, frame.step, frame.found)
            elif step.pair is None:
                frame.found += self._wrapped(frame.place, step, [])
            elif step.pair in on_the_way:
                continue
            elif ways.get(step.pair, 0) >= (MAX_WAYS if self._told < MAX_FINDINGS else 1):
                is_cut = True
            else:
                ways[step.pair] = ways.get(step.pair, 0) + 1
                on_the_way.add(step.pair)
                place = _Place(step.pair, frame.place.path + step.path, frame.place.pointer + step.pointer)
                stack.append(_Frame(place, step, self._wanted(step.pair, worth)))
                stack[-1].found += self._local(place)

    def _wanted(self, pair: Pair, worth: set[Pair]) -> list[_Step]:
        return [step for step in self._steps[pair] if step.pair is None or step.pair in worth]

    # -- what there is

    def _survey(self) -> None:
        waiting = [self._root]
        while waiting:
            pair = waiting.pop()
            if pair in self._steps:
                continue
            self._steps[pair] = steps = [step for step in self._steps_inside(pair) if not _leads_nowhere(step.pair)]
            self._issues[pair] = self._issues_of(pair)
            waiting += [step.pair for step in steps if step.pair is not None]

    def _worth_a_visit(self) -> set[Pair]:
        """Return the pairs that a way leads from to something found."""
        outside: dict[Pair, list[Pair]] = {}
        worth = {pair for pair, issues in self._issues.items() if issues}
        for pair, steps in self._steps.items():
            for step in steps:
                if step.pair is None:
                    worth.add(pair)
                else:
                    outside.setdefault(step.pair, []).append(pair)
        waiting = list(worth)
        while waiting:
            new = [pair for pair in outside.get(waiting.pop(), ()) if pair not in worth]
            worth.update(new)
            waiting += new
        return worth

    def _issues_of(self, pair: Pair) -> list[tuple[Rule, Issue]]:
        writer, reader, _ = pair
        if writer.kind == "union" or reader.kind == "union":
            return []
        rules = RULES_BY_KIND
        if is_quiet(writer, reader):
            if mismatch(writer, reader) is None and not self._lacks(writer, reader):
                return []
            rules = STRUCTURAL_BY_KIND
        return [(rule, issue) for rule in rules[reader.kind] for issue in rule.look(pair)]

    def _lacks(self, writer: Type, reader: Type) -> bool:
        """Tell whether nothing gives a value to some field."""
        if reader.kind != "record":
            return False
        inside = self._readability.inside(writer, reader)
        return any(source is None and not gives_value(wanted) for _, wanted, source in inside)

    def _steps_inside(self, pair: Pair) -> Iterator[_Step]:
        writer, reader, _ = pair
        if writer.kind == "union":
            for number, branch in enumerate(writer.branches):
                if reader.kind == "union":
                    yield self._into_union(Pair(branch, reader), f"/{number}")
                else:
                    yield _Step(Pair(branch, reader, writer), "", f"/{number}")
        elif reader.kind == "union":
            yield self._into_union(pair, "")
        elif writer.kind != reader.kind:
            return
        elif writer.items is not None and reader.items is not None:
            path, pointer = ("[]", "/items") if reader.kind == "array" else ("{}", "/values")
            yield _Step(Pair(writer.items, reader.items), path, pointer)
        elif reader.kind == "record":
            for number, wanted, source in self._readability.inside(writer, reader):
                if source is not None:
                    yield _Step(Pair(source.type, wanted.type), f".{wanted.name}", f"/fields/{number}/type")

    def _into_union(self, pair: Pair, branch: str) -> _Step:
        writer, union, _ = pair
        if self._readability.is_readable(writer, union):
            through = self._readability.branch(writer, union)
            assert through is not None
            return _Step(Pair(writer, through), "", f"/{union.branches.index(through)}")
        if self._by_the_letter.is_readable(writer, union):  # only what it means stands against it: no branch is missing
            through = self._by_the_letter.branch(writer, union)
            assert through is not None
            return _Step(Pair(writer, through), "", f"/{union.branches.index(through)}")
        nearest = _nearest(writer, union, self._readability.matching(writer, union))
        if nearest is None:
            return _Step(None, lacking=pair, branch=branch)
        return _Step(Pair(writer, nearest), "", f"/{union.branches.index(nearest)}", lacking=pair, branch=branch)

    # -- what is said

    def _local(self, place: _Place) -> Iterator[Finding]:
        for rule, issue in self._issues[place.pair]:
            yield self._finding(place, rule, issue)

    def _wrapped(self, place: _Place, step: _Step, found: list[Finding]) -> list[Finding]:
        """Make the errors below a missing branch its causes. A way that came round to itself has none: they are told elsewhere."""
        if step.lacking is None:
            return found
        if (
            found and found[0].rule == NAME_MISMATCH.id
        ):  # another type, or one that lacks an alias: its fields say no more
            found = found[:1]
        causes = [each for each in found if each.severity is Severity.ERROR]
        others = [each for each in found if each.severity is not Severity.ERROR]
        if step.pair is not None and not causes:
            return others
        (issue,) = MISSING_UNION_BRANCH.look(step.lacking)
        place = _Place(step.lacking, place.path, place.pointer + step.branch)
        return [self._finding(place, MISSING_UNION_BRANCH, issue, tuple(causes)), *others]

    def _finding(self, place: _Place, rule: Rule, issue: Issue, causes: tuple[Finding, ...] = ()) -> Finding:
        self._told += 1
        path, pointer = place.path, place.pointer
        at, reader, writer = f"/{issue.at}" if issue.at else "", place.pair.reader, place.pair.writer
        read = written = at
        if issue.field is not None:
            field = f"/fields/{self._number(issue.field, reader)}"
            path, pointer, read, written = f"{path}.{issue.field.name}{issue.inside}", pointer + field, field + at, ""
        if issue.source is not None:
            written = f"/fields/{self._number(issue.source, writer)}{at}"
        return Finding(
            rule=rule.id,
            severity=rule.severity,
            path=path.removeprefix("."),
            message=issue.message,
            pointer=pointer + (at if at not in _NOT_IN_JAVA else "") or "/",
            reader=self._reader.fragment(reader, read) if self._fragments else None,
            writer=self._writer.fragment(writer, written) if self._fragments else None,
            causes=causes,
        )

    def _number(self, field: Field, record: Type) -> int:
        if field not in self._numbers:
            self._numbers.update((each, number) for number, each in enumerate(record.fields))
        return self._numbers[field]


_NOT_IN_JAVA: Final = frozenset({"/logicalType", "/precision", "/scale"})
"""Not every type with a logical type on the other side has one, so pointers to those are to the type."""


def _cut(found: list[Finding]) -> list[Finding]:
    """Return findings, the last of which says that some ways have been left out."""
    return [*found[:-1], *(replace(each, message=each.message + CUT) for each in found[-1:])]


def _leads_nowhere(pair: Pair | None) -> bool:
    """Tell whether two types are marked as equal: they are read, and no rule has anything to say of them."""
    return pair is not None and pair.writer.mark == pair.reader.mark != ""


def _nearest(writer: Type, union: Type, matching: Sequence[Type]) -> Type | None:
    """Return the branch that would be the writer's if its content could be read; else the only one of its kind, if there is one."""
    fitting = [each for each in matching if each.kind == writer.kind]
    same = fitting or list(islice((each for each in union.branches if each.kind == writer.kind), 2))
    if not fitting and len(same) == 1:
        return same[0]
    return min(fitting, key=lambda each: each.name != writer.name, default=None)

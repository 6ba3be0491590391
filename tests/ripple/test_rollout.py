"""Orders of deployment: which there are, and that each stands when it is replayed."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from itertools import chain, combinations, permutations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stamp.compat import Severity, check
from stamp.ripple import contracts_of, ripple
from stamp.ripple.example import files

TODAY = date(2026, 11, 23)


def optional(name: str, type_: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", type_], "default": None}


class TestOrders:
    def test_what_breaks_nobody_is_deployed_at_once(self, flow, compare):
        now = deepcopy(flow)
        now["validation"]["writes"]["Validated.v2"] = {"priority": "string", "team": "string"}
        now["notification"]["reads"]["ticket"] = {"text": "string"}
        (phase,) = compare(flow, now).phases
        assert (phase.number, phase.steps, phase.reasons) == (1, ("notification", "validation"), ())

    def test_a_new_event_waits_for_who_listens_to_it(self, flow, compare):
        now = deepcopy(flow)
        now["assignment"]["emits"]["ExpertMissing"] = "Missing"
        now["assignment"]["writes"]["Missing.v1"] = {"since": "string"}
        now["billing"]["on"].append("ExpertMissing")
        report = compare(flow, now)
        assert [phase.steps for phase in report.phases] == [("billing",), ("assignment",)]
        assert report.phases[1].reasons == ("billing does not listen to ExpertMissing yet, which would be published",)

    def test_a_step_that_is_new_need_not_come_before_its_events(self, flow, compare):
        now = deepcopy(flow)
        now["assignment"]["emits"]["ExpertMissing"] = "Assigned"
        now["escalation"] = {"on": ["ExpertMissing"]}
        assert [phase.steps for phase in compare(flow, now).phases] == [("assignment", "escalation")]

    def test_a_step_put_between_two_others_comes_before_who_leads_to_it(self, flow, compare):
        now = deepcopy(flow)
        now["validation"]["emits"]["TicketAccepted"] = now["validation"]["emits"].pop("TicketValidated")
        now["triage"] = {
            "on": ["TicketAccepted"],
            "emits": {"TicketValidated": "Triaged"},
            "writes": {"Triaged.v1": {"queue": "string"}},
        }
        now["assignment"]["reads"]["triage"] = {"queue": "string"}
        report = compare(flow, now)
        assert [phase.steps for phase in report.phases] == [("triage",), ("validation",), ("assignment",)]
        assert [finding.rule for finding in report.findings] == ["runs-under-way"]

    def test_a_step_that_goes_is_among_the_phases(self, flow, compare):
        now = deepcopy(flow)
        del now["billing"]
        now["notification"]["ends"] = ["CustomerNotified"]
        (phase,) = compare(flow, now).phases
        assert (phase.steps, phase.removed) == (("billing", "notification"), ("billing",))

    def test_a_change_of_words_needs_no_deployment(self, flow, state):
        now = files(flow)
        name = "ticket/billing/Billed.v1.avsc"
        documented = now | {name: now[name].replace(b'"name": "Billed"', b'"doc": "What it costs.", "name": "Billed"')}
        report = ripple(contracts_of(documented, name="now"), [state(flow)], today=TODAY)
        assert report.rollouts == ()
        assert report.findings == ()


class TestNone:
    def test_a_renamed_event_has_no_order_and_a_way_out(self, flow, compare):
        now = deepcopy(flow)
        now["assignment"]["emits"] = {"ExpertFound": "Assigned"}
        now["notification"]["on"] = ["ExpertFound"]
        (rollout,) = compare(flow, now).rollouts
        assert not rollout.is_safe
        assert rollout.phases == ()
        assert "notification does not listen to ExpertFound yet, which would be published" in rollout.obstacles
        assert [way.partition(":")[0] for way in rollout.ways_out] == ["Expand"]

    def test_its_way_out_leads_there(self, flow, compare):
        both, switched, done = deepcopy(flow), deepcopy(flow), deepcopy(flow)
        both["notification"]["on"] = switched["notification"]["on"] = ["TicketAssigned", "ExpertFound"]
        switched["assignment"]["emits"] = done["assignment"]["emits"] = {"ExpertFound": "Assigned"}
        done["notification"]["on"] = ["ExpertFound"]
        for before, after in ((flow, both), (both, switched), (switched, done)):
            assert all(rollout.is_safe for rollout in compare(before, after).rollouts)

    def test_a_step_cannot_be_taken_from_between_two_others_at_once(self, flow, compare):
        now = deepcopy(flow)
        now["billing"]["on"] = ["TicketAssigned"]
        del now["notification"]
        (rollout,) = compare(flow, now).rollouts
        assert rollout.obstacles == (
            "billing no longer listens to CustomerNotified with its new contract, while that would still be published",
            "billing as it runs now would get none of its events",
            "billing would be triggered twice in one run, by CustomerNotified and TicketAssigned",
        )

    def test_two_ends_that_change_a_type_at_once_have_none(self, flow, compare):
        now = deepcopy(flow)
        now["assignment"]["writes"]["Assigned.v2"] = {"expert": "long"}
        now["notification"]["reads"]["assignment"] = {"expert": "long"}
        report = compare(flow, now)
        errors = {finding.rule for finding in report.findings if finding.severity is Severity.ERROR}
        assert errors == {"old-data-breaks", "new-data-breaks", "no-safe-order"}
        (rollout,) = report.rollouts
        assert "Assigned.v1" in rollout.ways_out[0]

    def test_the_present_contracts_broken_by_themselves_are_not_told_twice(self, flow, compare):
        now = deepcopy(flow)
        now["assignment"]["writes"]["Assigned.v2"] = {"name": "string"}
        report = compare(flow, now)
        assert [finding.rule for finding in report.findings] == ["view-breaks", "field-unread"][:1]
        assert report.rollouts[0].is_end_broken

    def test_what_was_broken_before_stands_in_nobodys_way(self, flow, compare):
        flow["billing"]["reads"]["ticket"] = {"nowhere": "string"}
        now = deepcopy(flow)
        now["validation"]["writes"]["Validated.v2"] = {"priority": "string", "team": "string"}
        report = compare(flow, now)
        assert [phase.steps for phase in report.phases] == [("validation",)]
        assert [impact.is_known for impact in report.impacts] == [True]


TYPES = st.sampled_from(["int", "long", "double", "string"])
FIELDS = st.lists(st.tuples(st.sampled_from("abc"), TYPES), min_size=1, max_size=3, unique_by=lambda each: each[0])


def record(fields: list[tuple[str, str]]) -> dict[str, str]:
    return dict(fields)


@st.composite
def chains(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A chain of three steps, and the same with other schemas: each reads some of those before it."""
    before: dict[str, Any] = {}
    now: dict[str, Any] = {}
    written: dict[str, tuple[Any, Any]] = {}
    for number, step in enumerate(("one", "two", "three")):
        old, new = draw(FIELDS), draw(FIELDS)
        said = {"on": [f"E{number - 1}"] if number else [], "emits": {f"E{number}": "R"}}
        views = [{}, {}]
        for producer, versions in written.items():
            for view, fields in zip(views, versions, strict=True):
                read = draw(st.lists(st.sampled_from(fields), max_size=2, unique=True))
                if read:
                    view[producer] = record(read)
        before[step] = said | {"writes": {"R.v1": record(old)}, "reads": views[0]}
        now[step] = said | {"writes": {"R.v1": record(old)}, "reads": views[1]}
        if record(old) != record(new):
            now[step]["writes"]["R.v2"] = record(new)
        written[step] = (old, new)
    return before, now


def broken(
    before: dict[str, Any], now: dict[str, Any], deployed: set[str], rolling: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield readers and producers that fail in a stage, found out by looking at every pair of schemas that can meet."""
    schemas = {name: text.decode() for name, text in (files(before) | files(now)).items()}
    old, new = ({name: text.decode() for name, text in files(steps).items()} for steps in (before, now))
    for reader in now:
        views = [old] * (reader not in deployed) + [new] * (reader in deployed | rolling)
        for view, producer in ((each, other) for each in views for other in now):
            name = f"ticket/{reader}/reads/{producer}.avsc"
            versions = ["R.v1"] + ["R.v2"] * (producer in deployed | rolling and "R.v2" in now[producer]["writes"])
            for version in versions if name in view else ():
                found = check(view[name], schemas[f"ticket/{producer}/{version}.avsc"], as_view=True)
                if any(finding.severity is Severity.ERROR for finding in found):
                    yield reader, producer


def is_safe(before: dict[str, Any], now: dict[str, Any], phases: list[set[str]]) -> bool:
    deployed: set[str] = set()
    for phase in phases:
        if any(broken(before, now, deployed, phase)):
            return False
        deployed |= phase
    return not any(broken(before, now, deployed, set()))


@settings(max_examples=80)
@given(chains())
def test_an_order_stands_when_it_is_replayed_and_where_there_is_none_no_order_does(pair):
    before, now = pair
    assume(not any(broken(before, now, set(), set())))
    present = contracts_of(files(now), name="now")
    report = ripple(present, [contracts_of(files(before), name="main", like=present)], today=TODAY)
    if not report.rollouts:
        assert files(before) == files(now)
        return
    (rollout,) = report.rollouts
    changed = {name.split("/")[1] for name, text in files(now).items() if files(before).get(name) != text} | {
        name.split("/")[1] for name in files(before).keys() - files(now).keys()
    }
    if rollout.is_safe:
        phases = [set(phase.steps) for phase in rollout.phases]
        assert set(chain.from_iterable(phases)) == changed
        assert is_safe(before, now, phases)
    else:
        assert not any(is_safe(before, now, [{step} for step in order]) for order in permutations(changed))


@settings(max_examples=60)
@given(chains())
def test_phases_are_as_few_as_can_be_for_two_steps(pair):
    before, now = pair
    assume(not any(broken(before, now, set(), set())))
    present = contracts_of(files(now), name="now")
    report = ripple(present, [contracts_of(files(before), name="main", like=present)], today=TODAY)
    for rollout in report.rollouts:
        if len(rollout.phases) == 2:
            for first, second in combinations(rollout.phases, 2):
                assert not is_safe(before, now, [{*first.steps, *second.steps}])


@pytest.mark.parametrize("size", [12])
def test_a_long_row_of_orders_is_found(size, compare):
    enum = [{"type": "enum", "name": "L", "symbols": symbols} for symbols in (["A"], ["A", "B"])]
    states = []
    for version, level in enumerate(enum):
        steps: dict[str, Any] = {}
        for number in range(size):
            said = {"on": [f"E{number - 1}"] if number else [], "emits": {f"E{number}": "R"}, "ends": [f"E{number}"]}
            said["writes"] = {"R.v1": {f"f{number}": enum[0]}} | ({"R.v2": {f"f{number}": level}} if version else {})
            said["reads"] = {f"s{number - 1:02}": {f"f{number - 1}": level}} if number else {}
            steps[f"s{number:02}"] = said
        states.append(steps)
    phases = compare(*states).phases
    assert [phase.steps for phase in phases] == [(f"s{number:02}",) for number in reversed(range(size))]


class TestDepartures:
    """Steps that are removed together: who listens goes after all that publish to it."""

    CHAIN = {
        "order": {"emits": {"Ordered": "Order"}, "writes": {"Order.v1": {"id": "string"}}},
        "payment": {"on": ["Ordered"], "emits": {"Paid": "Payment"}, "writes": {"Payment.v1": {"id": "string"}}},
        "packing": {"on": ["Paid"], "emits": {"Packed": "Parcel"}, "writes": {"Parcel.v1": {"id": "string"}}},
        "audit": {"on": ["Ordered", "Packed"]},
    }

    def test_of_a_whole_workflow_producers_go_first(self, compare):
        report = compare(self.CHAIN, {})
        assert [phase.steps for phase in report.phases] == [("order",), ("payment",), ("packing",), ("audit",)]
        assert [phase.removed for phase in report.phases] == [phase.steps for phase in report.phases]
        assert report.phases[1].reasons == ("order would still publish Ordered, and who listens to it would be gone",)

    def test_of_a_part_too(self, compare):
        now = {"order": self.CHAIN["order"] | {"ends": ["Ordered"]}}
        phases = [phase.steps for phase in compare(self.CHAIN, now).phases]
        assert phases == [("order", "payment"), ("packing",), ("audit",)]

    def test_an_event_that_others_publish_on_keeps_nobody(self, compare):
        steps = self.CHAIN | {
            "again": {"on": ["Ordered"], "emits": {"Paid": "Retry"}, "writes": {"Retry.v1": {"id": "string"}}}
        }
        now = {step: steps[step] for step in ("order", "again")}
        (phase,) = [each for each in compare(steps, now).phases if "payment" in each.steps]
        assert "packing" in phase.steps

    def test_steps_in_a_circle_go_together_after_who_publishes_to_them(self, compare):
        steps = self.CHAIN | {"payment": self.CHAIN["payment"] | {"on": ["Ordered", "Packed"]}}
        assert [phase.steps for phase in compare(steps, {}).phases] == [("order",), ("packing", "payment"), ("audit",)]

    @given(st.data())
    def test_no_step_goes_before_one_that_leads_to_it(self, data):
        size = data.draw(st.integers(2, 6))
        hears = {n: data.draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=3)) for n in range(1, size)}
        steps = {
            f"s{n}": {
                "on": [f"E{m}" for m in sorted(hears.get(n, ()))],
                "emits": {f"E{n}": "R"},
                "writes": {"R.v1": {"id": "string"}},
            }
            for n in range(size)
        }
        before, now = (contracts_of(files(each), name=name) for each, name in ((steps, "before"), ({}, "now")))
        (rollout,) = ripple(now, [before], today=TODAY).rollouts
        at = {step: phase.number for phase in rollout.phases for step in phase.steps}
        assert rollout.is_safe
        assert all(at[f"s{m}"] < at[f"s{n}"] for n, heard in hears.items() for m in heard)

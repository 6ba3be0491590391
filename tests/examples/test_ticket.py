"""The example: seven services that share a name and nothing else."""

from __future__ import annotations

import ast
import inspect
import json
import shutil
import typing
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from pydantic import BaseModel

from examples.ticket import assignment, billing, intake, notification, resolution, survey, ticket, validation
from stamp import Envelope, Outgoing, StepContext
from stamp.workflow import export

SERVICES = {
    "ticket": intake,
    "validation": validation,
    "assignment": assignment,
    "notification": notification,
    "resolution": resolution,
    "billing": billing,
    "survey": survey,
}
HANDLERS = {step: getattr(service, step) for step, service in SERVICES.items() if step != "ticket"}


def read_tickets(root: Path) -> list[dict[str, Any]]:
    # split at "\n" alone: str.splitlines() also ends a line at U+0085 and U+2028, which are in these texts
    text = (root / "examples/ticket/tickets.jsonl").read_bytes().decode()
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def played(line: dict[str, Any]) -> Outgoing:
    """Return the last event of a ticket: one hop after the other, until nobody listens."""
    last = ticket.start(intake.Ticket.model_validate(line), workflow_id=line["workflow_id"])
    while listener := next((name for name, step in ticket.steps.items() if last.event in step.on), None):
        [last] = ticket.process(listener, last.body)
    return last


def context_of(workflow_id: str) -> StepContext:
    """Billing reads nothing of its context but the workflow's id."""
    return cast("StepContext", type("Context", (), {"workflow_id": workflow_id}))


class TestTickets:
    def test_there_are_one_hundred_and_each_has_a_workflow_id_of_its_own(self, root: Path) -> None:
        ids = [line["workflow_id"] for line in read_tickets(root)]

        assert len(ids) == len(set(ids)) == 100

    def test_each_is_a_ticket_with_a_time_that_has_a_zone(self, root: Path) -> None:
        for line in read_tickets(root):
            assert intake.Ticket.model_validate(line).created_at.tzinfo is not None, line["workflow_id"]

    def test_no_field_is_there_in_vain(self, root: Path) -> None:
        known = intake.Ticket.model_fields.keys() | {"workflow_id"}
        assert {name for line in read_tickets(root) for name in line} == known

    def test_ten_are_rejected(self, root: Path) -> None:
        tickets = [validation.Ticket.model_validate({"tags": [], "order_number": None} | t) for t in read_tickets(root)]
        outcomes = [validation.validation(ticket) for ticket in tickets]

        assert Counter(each.reason for each in outcomes if isinstance(each, validation.Rejected)) == {
            validation.Reason.NO_DESCRIPTION: 4,
            validation.Reason.NOT_COVERED: 3,
            validation.Reason.SPAM: 3,
        }


class TestWorkflow:
    def test_ninety_end_with_a_survey_and_ten_are_rejected(self, root: Path) -> None:
        assert Counter(played(line).event for line in read_tickets(root)) == {
            "SurveyAnswered": 90,
            "TicketRejected": 10,
        }

    def test_the_last_event_still_says_what_the_customer_said(self, root: Path) -> None:
        for line in read_tickets(root):
            envelope = Envelope.from_bytes(played(line).body, catalog=ticket.catalog)

            assert envelope.workflow_id == line["workflow_id"]
            assert envelope.read("ticket", intake.Ticket) == intake.Ticket.model_validate(line)

    def test_every_contribution_carries_the_name_of_its_step(self, root: Path) -> None:
        surveyed = next(last for last in map(played, read_tickets(root)) if last.event == "SurveyAnswered")

        assert [each.step for each in Envelope.from_bytes(surveyed.body).contributions] == list(SERVICES)


def test_the_contracts_in_git_say_what_the_code_says(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "schemas", tmp_path / "schemas")

    assert export(ticket, tmp_path / "schemas") == []


class TestServices:
    @pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
    def test_shares_nothing_but_the_workflow(self, service: ModuleType) -> None:
        nodes = list(ast.walk(ast.parse(inspect.getsource(service))))
        relative = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
        absolute = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        absolute += chain.from_iterable(
            (name.name for name in node.names) for node in nodes if isinstance(node, ast.Import)
        )

        assert [(node.module, [name.name for name in node.names]) for node in relative] == [("workflow", ["ticket"])]
        assert not [name for name in absolute if name and name.startswith("examples")]

    @pytest.mark.parametrize("step", HANDLERS)
    def test_views_are_smaller_than_what_they_look_at(self, step: str) -> None:
        hints = typing.get_type_hints(HANDLERS[step])
        views = {name: hint for name, hint in hints.items() if name in SERVICES}

        assert 1 <= len(views) <= 3
        for producer, view in views.items():
            written = typing.get_type_hints(HANDLERS[producer])["return"] if producer in HANDLERS else intake.Ticket
            fields = {name for model in typing.get_args(written) or (written,) for name in model.model_fields}
            assert view.model_fields.keys() < fields, f"{step} takes all of {producer}"


def a_ticket(**changes: Any) -> validation.Ticket:
    usual = {"subject": "Help", "description": "It hums.", "plan": "HOME", "tags": [], "order_number": None}
    return validation.Ticket.model_validate(usual | changes)


class TestValidation:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({}, None),
            ({"description": "?"}, None),
            ({"description": "U+1F600 is a description: 😀"}, None),
            ({"description": ""}, "NO_DESCRIPTION"),
            ({"description": " \t\u00a0\u200b\x00\x1b"}, "NO_DESCRIPTION"),
            ({"description": "http://a http://b"}, None),
            ({"description": "http://a HTTPS://b", "subject": "http://c"}, "SPAM"),
            ({"plan": "FREE", "order_number": "A-1"}, None),
            ({"plan": "FREE"}, "NOT_COVERED"),
        ],
    )
    def test_accepts_what_is_readable_honest_and_covered(self, changes: dict[str, Any], reason: str | None) -> None:
        outcome = validation.validation(a_ticket(**changes))

        assert (outcome.reason if isinstance(outcome, validation.Rejected) else None) == reason

    @pytest.mark.parametrize(
        ("changes", "category", "priority", "hours"),
        [
            ({}, "OTHER", "NORMAL", 24),
            ({"tags": ["humming", "tv", "router"]}, "DISPLAY", "NORMAL", 24),
            ({"plan": "BUSINESS", "tags": ["wifi"]}, "NETWORK", "HIGH", 4),
            ({"plan": "FREE", "order_number": "A-1", "tags": ["app"]}, "SOFTWARE", "LOW", 72),
            ({"plan": "FREE", "order_number": "A-1", "tags": ["charger", "smoke"]}, "POWER", "HIGH", 4),
        ],
    )
    def test_finds_category_priority_and_time(
        self, changes: dict[str, Any], category: str, priority: str, hours: int
    ) -> None:
        assert validation.validation(a_ticket(**changes)) == validation.Validated.model_validate(
            {"category": category, "priority": priority, "respond_within": timedelta(hours=hours)}
        )


@pytest.mark.parametrize(
    ("language", "category", "priority", "expert", "speaks"),
    [
        ("de-CH", "AUDIO", "NORMAL", "Björn Åkesson", True),
        ("de-CH", "AUDIO", "HIGH", "Ada Okafor", False),
        ("fr", "AUDIO", "HIGH", "Ada Okafor", True),
        ("fr", "OTHER", "HIGH", "Élodie N'Guessan", True),
        ("ar-EG", "NETWORK", "LOW", "فاطمة الزهراء", True),
        ("zh-Hant-TW", "SOFTWARE", "HIGH", "陈美玲", True),
        ("tlh", "DISPLAY", "LOW", "Björn Åkesson", False),
    ],
)
def test_assignment_finds_a_senior_for_urgent_trouble_and_then_the_language(
    language: str, category: str, priority: str, expert: str, speaks: bool
) -> None:
    assigned = assignment.assignment(
        assignment.Ticket.model_validate({"customer": {"language": language}}),
        assignment.Validated.model_validate({"category": category, "priority": priority}),
    )

    assert (assigned.expert, assigned.speaks_customers_language) == (expert, speaks)


@pytest.mark.parametrize(
    ("channel", "language", "medium", "recipient", "in_language"),
    [
        ("EMAIL", "pt-BR", "EMAIL", "ana@example.com", "pt"),
        ("WEB", "zh-Hant-TW", "EMAIL", "ana@example.com", "zh-Hant"),
        ("PHONE", "tlh", "SMS", None, "en"),
        ("CHAT", "", "PUSH", None, "en"),
    ],
)
def test_notification_answers_where_and_in_what_the_customer_asked(
    channel: str, language: str, medium: str, recipient: str | None, in_language: str
) -> None:
    notified = notification.notification(
        notification.Ticket.model_validate(
            {"channel": channel, "customer": {"email": "ana@example.com", "language": language}}
        ),
        notification.Assigned(expert="Ada Okafor", speaks_customers_language=True),
    )

    assert (notified.medium, notified.recipient, notified.language) == (medium, recipient, in_language)
    assert (notified.template, notified.variables) == ("expert-found", {"expert": "Ada Okafor"})


@pytest.mark.parametrize(
    ("category", "level", "tags", "action", "minutes", "parts"),
    [
        ("OTHER", "JUNIOR", [], "EXPLAINED", 10, []),
        ("OTHER", "SENIOR", [], "EXPLAINED", 5, []),
        ("NETWORK", "JUNIOR", ["wifi", "slow"], "RECONFIGURED", 30, []),
        ("AUDIO", "SENIOR", ["speaker"], "REPAIRED", 25, ["CBL-35", "DRV-8Ω"]),
    ],
)
def test_resolution_takes_longer_for_each_symptom_and_half_as_long_with_experience(
    category: str, level: str, tags: list[str], action: str, minutes: int, parts: list[str]
) -> None:
    asked_at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    resolved = resolution.resolution(
        resolution.Ticket(created_at=asked_at, tags=tags),
        resolution.Validated.model_validate({"category": category, "respond_within": timedelta(hours=4)}),
        resolution.Assigned.model_validate({"level": level}),
    )

    assert (resolved.action, resolved.minutes, [part.number for part in resolved.parts]) == (action, minutes, parts)
    assert resolved.solved_at == asked_at + timedelta(hours=2, minutes=minutes)


@pytest.mark.parametrize(
    ("plan", "country", "minutes", "currency", "net", "tax", "total"),
    [
        ("BUSINESS", "DE", 240, "EUR", "0.00", "0.00", "0.00"),
        ("HOME", "DE", 40, "EUR", "28.50", "5.42", "33.92"),
        ("HOME", "US", 40, "USD", "30.76", "2.23", "32.99"),
        ("HOME", "JP", 40, "JPY", "4634", "463", "5097"),
        ("FREE", "GB", 40, "GBP", "39.60", "7.92", "47.52"),
    ],
)
def test_billing_charges_what_the_plan_does_not_cover(
    plan: str, country: str, minutes: int, currency: str, net: str, tax: str, total: str
) -> None:
    billed = billing.billing(
        billing.Ticket.model_validate({"customer": {"country": country}, "plan": plan}),
        billing.Resolved(minutes=minutes, parts=[billing.Part(number="BAT-18", quantity=4)]),
        context_of("4729"),
    )

    assert (billed.invoice, billed.currency) == ("INV-4729", currency)
    assert (billed.net, billed.tax, billed.total) == (Decimal(net), Decimal(tax), Decimal(total))
    assert sum(line.amount for line in billed.lines) == billed.net


@pytest.mark.parametrize(
    ("hours", "total", "score"),
    [(2, "0.00", 5), (6, "50.00", 5), (2, "50.01", 4), (7, "0.00", 4), (25, "0.00", 3), (25, "99.00", 2)],
)
def test_survey_is_harsh_about_waiting_and_paying(hours: int, total: str, score: int) -> None:
    asked_at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    surveyed = survey.survey(
        survey.Ticket(created_at=asked_at),
        survey.Resolved(solved_at=asked_at + timedelta(hours=hours)),
        survey.Billed(currency=survey.Currency.EUR, total=Decimal(total)),
    )

    assert surveyed.score == score
    assert (surveyed.comment is None) == (score in {3, 4})


def test_models_are_plain_pydantic_models() -> None:
    models = {value for service in SERVICES.values() for value in vars(service).values() if isinstance(value, type)}

    assert {model.__base__ for model in models if issubclass(model, BaseModel) and model is not BaseModel} == {
        BaseModel
    }

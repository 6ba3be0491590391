"""What entries of accepted findings do to a report, and what is to be said of the entries themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from stamp.compat import Finding
from stamp.ripple.acceptance import Acceptance
from stamp.ripple.report import Impact, Report
from stamp.ripple.rule import Issue, Rule
from stamp.ripple.rules import acceptance_changed, acceptance_expired, acceptance_unused

__all__ = ["accept"]


def accept(
    report: Report,
    acceptances: Sequence[Acceptance],
    *,
    today: date,
    unused: bool = True,
    known: Collection[Acceptance] | None = None,
) -> Report:
    """Return a report in which what entries are about is `accepted`, with a finding for each entry that has expired, matched nothing or is new.

    An entry names the rule of an impact and its path; or the rule and the path of one of its causes, which then all have to be
    accepted. The path of a cause begins with the step that writes, as that of its impact does.

    Args:
        report: what was found.
        acceptances: the entries; the first one that matches is told.
        today: an entry holds up to, and on, its last day.
        unused: tell of entries that have matched nothing. False where not everything was looked at that they may be about: one
            workflow alone, or no baseline.
        known: the entries of what the contracts are compared with; an entry that is not among them comes with the change. None if nobody knows.
    """
    entries = tuple(dict.fromkeys(acceptances))
    holding = [entry for entry in entries if not entry.is_expired(today)]
    impacts = [replace(each, accepted=_accepting(each, each.finding, holding)) for each in report.impacts]
    said = [_impact(rule, issue) for rule, issue in _said(report, entries, today=today, unused=unused)]
    said += [_impact(acceptance_changed.RULE, issue) for issue in acceptance_changed.issues(entries, known)]
    ordered = sorted([*impacts, *said], key=lambda impact: impact.finding.severity.rank)
    return replace(report, impacts=tuple(ordered))


def _accepting(impact: Impact, finding: Finding, entries: Iterable[Acceptance]) -> Acceptance | None:
    """Return the first entry that accepts a finding of an impact, itself or each of its causes."""
    present = tuple(entries)
    for entry in present:
        if _is_about(entry, impact, finding):
            return entry
    causes = [_accepting(impact, cause, present) for cause in finding.causes]
    return causes[0] if causes and None not in causes else None


def _is_about(entry: Acceptance, impact: Impact, finding: Finding) -> bool:
    return entry.fits(rule=finding.rule, path=_path(impact, finding), workflow=impact.workflow)


def _path(impact: Impact, finding: Finding) -> str:
    """Return the path of a finding of an impact: causes know those within a record, not who writes it."""
    if finding is impact.finding:
        return finding.path
    return ".".join(filter(None, (impact.producer, finding.path)))


def _said(report: Report, entries: Iterable[Acceptance], *, today: date, unused: bool) -> Iterator[tuple[Rule, Issue]]:
    found = [(impact, finding) for impact in report.impacts for finding in _all(impact.finding)]
    for entry in entries:
        is_matched = any(_is_about(entry, impact, finding) for impact, finding in found)
        if entry.is_expired(today):
            yield acceptance_expired.RULE, acceptance_expired.of(entry, is_matched=is_matched)
        elif unused and not is_matched:
            elsewhere = {_path(impact, finding) for impact, finding in found if finding.rule == entry.rule}
            yield acceptance_unused.RULE, acceptance_unused.of(entry, elsewhere=elsewhere)


def _all(finding: Finding) -> Iterator[Finding]:
    yield finding
    for cause in finding.causes:
        yield from _all(cause)


def _impact(rule: Rule, issue: Issue) -> Impact:
    finding = Finding(
        rule=rule.id,
        severity=issue.severity or rule.severity,
        path=issue.path,
        message=issue.message,
        reader=issue.place,
    )
    return Impact(finding=finding, workflow=issue.workflow)

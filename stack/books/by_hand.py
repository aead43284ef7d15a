"""Reconcile by hand: print the books of now, and every difference with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stack.base.settings import Settings
from stack.books.plan import Plan
from stack.books.reconcile import Ask, Reconciler
from stack.books.report import Report
from stack.writing.lock import RECONCILIATION, one_writer

WAIT_SECONDS = 600.0

Say = Callable[[str], None]


def reconcile_by_hand(settings: Settings, plan: Plan, say: Say, *, is_full: bool) -> int:
    """Reconcile as the only writer and print what was found; the exit code: 1 for a difference.

    Raises RetriableError if another writer keeps the lock for ten minutes, or a service is away.
    """
    with one_writer(settings, RECONCILIATION, WAIT_SECONDS, say, plan.trino_user) as lock:
        report = Reconciler(settings, plan).reconcile(Ask(is_full), None, lock.check).report
    show(report, plan.ledger, say)
    return int(bool(report.differences))


def show(report: Report, table: str, say: Say) -> None:
    """Print a report."""
    for topic, landed in sorted(report.landed.items()):
        rejected = report.quarantined[topic]
        facts = {
            "acknowledged": report.acknowledged.get(topic, "not reported"),
            "landed": landed,
            "accepted": report.accepted[topic],
            "quarantined": sum(rejected.values()),
            "duplicates": report.duplicates.get(topic),
            "lost": report.lost[topic] or None,
            "not processed yet": report.unprocessed[topic] or None,
            "not landed yet": report.lag_messages.get(topic) or None,
            "held back by an open transaction": report.held_back.get(topic) or None,
        }
        told = ", ".join(f"{name} {count}" for name, count in facts.items() if count is not None)
        say(f"{topic}: {told}")
        for reason, count in rejected.items():
            say(f"    {reason} {count}")
        for flag, count in report.flagged.get(topic, {}).items():
            say(f"    flagged: {flag} {count}")
    if report.register_spans:
        text = register_text(report.register_spans, report.register_difference_kwh)
        say(f"register = readings, by span: {text}")
    for difference in report.differences:
        say(f"✗ wanted: {difference.wanted}")
        say(f"  found:  {difference.found}")
        say(f"  next:   {difference.next_step}")
    verdict = "✗ the books differ" if report.differences else "✓ the books balance"
    say(f"{verdict}; row in iceberg.{table} at {report.reconciled_at:%Y-%m-%dT%H:%M:%SZ}")


def register_text(spans: Mapping[str, int], difference_kwh: Mapping[str, float]) -> str:
    """How registers agree with readings: spans by status, differences by cause."""
    told = ", ".join(f"{status} {count:,}" for status, count in sorted(spans.items()))
    differences = sorted(difference_kwh.items())
    return "; ".join([told or "none", *(f"{cause} {kwh:,.3f} kWh" for cause, kwh in differences)])

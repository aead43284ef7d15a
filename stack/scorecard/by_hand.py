"""Score by hand: compare, write the scores down, and print them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from stack.base.settings import Settings
from stack.base.text import Say, aligned
from stack.clients import trino
from stack.scorecard import evidence, table
from stack.scorecard.score import Comparison, KindScore, Score
from stack.writing.lock import SCORECARD, one_writer
from stack.writing.statements import WRITER_USER

WAIT_SECONDS = 600.0
HEADER = ("", "detector", "severity", "hits", "found", "recall", "false alarms", "a 1,000 days")


def truth_files(settings: Settings) -> list[Path]:
    """What simulator and replay left in this stack's folder, by name."""
    return sorted((settings.state_dir / "truth").glob("*.jsonl"))


def score(
    settings: Settings, files: Sequence[Path], say: Say
) -> tuple[list[Score], list[KindScore]]:
    """Compare truth files with the models and write the scores down.

    Raises ConfigurationError where the files hold no truth, RetriableError if another writer keeps
    the lock for ten minutes, or a service is away.
    """
    now = datetime.now(UTC)
    client = trino.patient(settings, WRITER_USER)
    with Comparison(files, now) as comparison:
        found = evidence.gather(client, comparison.meters(), *comparison.extent())
        scores, kinds = comparison.score(found)
    with one_writer(settings, SCORECARD, WAIT_SECONDS, say):
        table.keep(client, scores, now)
    return scores, kinds


def score_by_hand(settings: Settings, named: Sequence[Path], say: Say, *, has_kinds: bool) -> int:
    """Score and print, with has_kinds each kind of fault; the exit code: 1 for a broken promise."""
    scores, kinds = score(settings, named or truth_files(settings), say)
    for line in (*lines(scores), *(kind_lines(kinds) if has_kinds else ())):
        say(line)
    return int(any(each.is_kept is False for each in scores))


def lines(scores: Sequence[Score]) -> list[str]:
    """The scores of detectors that had something to find or said something; then the verdict."""
    detectors = [each for each in scores if each.fn is not None]
    told = [each for each in detectors if each.hits or each.tp or each.fn or each.unseen]
    silent = [each.detector for each in detectors if each not in told]
    days = scores[0].meter_days if scores else 0.0
    return [
        *aligned([HEADER, *map(cells, told)]),
        *(sum_line(each) for each in scores if each.fn is None),
        *([f"nothing to find, and no hit: {', '.join(silent)}"] if silent else []),
        f"{verdict(scores)} in {days:,.1f} meter-days; rows in iceberg.{table.TABLE}",
    ]


def verdict(scores: Sequence[Score]) -> str:
    """Whether each promise holds, or of what it does not."""
    broken = [each.detector for each in scores if each.is_kept is False]
    return f"✗ not as promised: {', '.join(broken)}" if broken else "✓ each promise holds"


def cells(score: Score) -> tuple[str, ...]:
    """One detector's line."""
    recall = "-" if score.recall is None else f"{100 * score.recall:.1f} %"
    rate = "-" if score.false_alarms is None else f"{score.false_alarms:.2f}"
    mark = "✗" if score.is_kept is False else "✓"
    return (
        mark,
        score.detector,
        score.severity or "",
        f"{score.hits:,}",
        found_text(score),
        recall,
        str(score.fp),
        rate,
    )


def found_text(score: Score) -> str:
    """How many faults it found, of those that it must find; and what it did not see besides."""
    due = score.tp + (score.fn or 0)
    found = [f"{score.tp:,} of {due:,} {score.unit}"] if due else []
    unseen = [f"{score.unseen:,} {score.unit} unseen"] if score.unseen else []
    return ", ".join(found + unseen) or "-"


def sum_line(score: Score) -> str:
    """What energies differ by."""
    mark = "✗" if score.is_kept is False else "✓" if score.is_kept else " "
    wape = "-" if score.wape is None else f"{100 * score.wape:.3f} %"
    difference = score.difference_kwh or 0.0
    return (
        f"{mark} {score.detector}: {score.tp:,} of {score.hits:,} {score.unit} as they should be, "
        f"{difference:,.6f} kWh apart, WAPE {wape}"
    )


def kind_lines(kinds: Sequence[KindScore]) -> list[str]:
    """What became of each kind of fault."""
    return [
        f"{each.kind}: {each.facts:,}, seen {each.seen:,}"
        + (f" ({each.detectors})" if each.detectors else "")
        for each in kinds
    ]

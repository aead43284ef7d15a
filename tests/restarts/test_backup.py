"""A backup made while landing goes on, the loss of everything, and the way back.

`python -m tests.drill` plays the loss of the catalog alone and of the bucket alone as well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stack.backup import backup, restore
from stack.base.errors import ConfigurationError
from stack.maintenance.service import Upkeep, last_run_file
from stack.writing import lock
from tests import drill
from tests.drill import Report
from tests.integration.lakehouse import Lakehouse, no_word

# The drill takes two minutes; the parts of a backup have unit tests.
pytestmark = pytest.mark.thorough

WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def report(lakehouse: Lakehouse, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Catalog, master data and bucket are lost and restored, once."""
    return drill.play(lakehouse, drill.BOTH, tmp_path_factory.mktemp("backups"))


def test_every_message_is_there_once_as_it_was_acknowledged(report: Report) -> None:
    assert report.finding.is_good, report.finding
    assert report.finding.messages >= 2 * drill.MESSAGES


def test_the_marts_are_as_before_the_loss(report: Report) -> None:
    assert report.marts_after == report.marts_before


def test_the_topics_still_held_what_came_after_the_backup(report: Report) -> None:
    assert "! " not in report.said
    assert report.backup.fills_gap_until is not None
    # kafka/topics.tsv: seven days, less the one of BACKUP_RESTORE_HOURS.
    kept = report.backup.fills_gap_until - report.backup.taken_at
    assert kept.total_seconds() == pytest.approx(6 * 86_400, abs=3600)


def test_the_backup_reads_back_as_it_was_written(lakehouse: Lakehouse, report: Report) -> None:
    said: list[str] = []
    assert backup.check_backup(lakehouse.settings, report.backup.folder, said.append) == 0
    assert f"{report.backup.objects} objects and two dumps as they were copied" in said[-1]


def test_nothing_is_put_back_under_writers_that_run(lakehouse: Lakehouse, report: Report) -> None:
    parts = restore.Parts(may_replace=True)
    with pytest.raises(ConfigurationError, match=r"lander and .*dbt.* running"):
        restore.restore(lakehouse.settings, report.backup.folder, parts, no_word)


def test_a_backup_puts_maintenance_off_and_lets_rounds_go_on(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    settings = replace(lakehouse.settings, state_dir=tmp_path, maintenance_interval=1)
    record = last_run_file(settings.state_dir)
    record.parent.mkdir()
    record.write_text('{"maintained_at": "2026-01-01T00:00:00+00:00"}')
    said: list[str] = []
    upkeep = Upkeep(settings, lambda event, **facts: said.append(f"{event} {facts}"))
    with lock.hold_lock(settings, lock.BACKUP, WAIT_SECONDS, no_word, key=lock.OBJECTS_KEY):
        upkeep.after_round(lambda: False, lambda: None, datetime.now(UTC))
        with lock.hold_lock(settings, lock.SCHEDULED_ROUND, WAIT_SECONDS, no_word):
            pass
    assert said[-1].startswith("maintenance put off")
    assert "held by backup, process" in said[-1]

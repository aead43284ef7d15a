"""Of the messages for one reading the best counts: by quality, revision, then Kafka's order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.integration.lakehouse import Lakehouse, reading
from tests.integration.test_live_marts import live, marts
from tests.integration.test_marts import contents, table_rows

pytestmark = pytest.mark.same_in_both_modes

MOMENT = "2026-06-01T10:00:00Z"
SUPERSEDED = "SUPERSEDED_ON_ARRIVAL"
Versions = list[tuple[float, dict[str, Any]]]
# In Kafka's order, one message of each a round: energy in kWh, and what else it says.
C4: Versions = [(0.60, {"quality": "E"}), (0.42, {"quality": "A"}), (0.60, {"quality": "E"})]
AGAIN: Versions = [(0.50, {"revision": 1}), (0.70, {"revision": 2}), (0.50, {"revision": 1})]
LATER_ESTIMATE: Versions = [(1.0, {}), (2.0, {"quality": "estimated", "revision": 9}), (3.0, {})]
STRANGE: Versions = [
    (1.0, {"quality": "S"}),
    (2.0, {"quality": "guessed"}),
    (3.0, {"quality": "F"}),
]


class Story:
    """Meters of which each sends its versions, one a round.

    seen: meter -> the energy that counted after each round; live, mart: of the last round.
    """

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        self.c4, self.again, self.later, self.strange = lakehouse.new_devices(4)
        sent = {
            self.c4: C4,
            self.again: AGAIN,
            self.later: LATER_ESTIMATE,
            self.strange: STRANGE,
        }
        self.seen: dict[str, list[Decimal]] = {device: [] for device in sent}
        for number in range(3):
            for device, versions in sent.items():
                energy, said = versions[number]
                lakehouse.send(reading(device, MOMENT, energy_kwh=energy, **said))
            lakehouse.land()
            self.live = live(lakehouse)
            lakehouse.round()
            for device, energies in self.seen.items():
                energies.append(Decimal(self.readings(device, "energy_kwh")[0]))
        self.mart = marts(lakehouse)

    def readings(self, device: str, columns: str) -> list[Any]:
        """Columns of the meter's one reading."""
        (row,) = self.lakehouse.sql(
            f"select {columns} from iceberg.intermediate.int_meter_readings "
            f"where device_id = '{device}'"
        )
        return row

    def listed(self, device: str) -> list[list[Any]]:
        """What the list of corrections says of a meter."""
        return self.lakehouse.sql(
            "select why, energy_kwh_before, energy_kwh_after, quality_before, quality_after, "
            "revision_before, revision_after from iceberg.quality.reading_corrections "
            f"where device_id = '{device}' order by kafka_partition, kafka_offset"
        )


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    return Story(lakehouse)


COUNTS = (
    "quality_rank, revision, version_count, duplicate_count, correction_count, superseded_count"
)


def energies(*values: str) -> list[Decimal]:
    return [Decimal(value) for value in values]


def test_an_estimate_that_comes_again_does_not_replace_the_actual_value(story: Story) -> None:
    assert story.seen[story.c4] == energies("0.60", "0.42", "0.42")
    assert story.readings(story.c4, COUNTS) == [5, 0, 3, 0, 1, 1]
    before, after = energies("0.60", "0.42")
    assert story.listed(story.c4) == [
        ["sent again with other values", before, after, "E", "A", 0, 0],
        [SUPERSEDED, after, before, "A", "E", 0, 0],
    ]


def test_an_original_that_comes_again_does_not_undo_its_correction(story: Story) -> None:
    assert story.seen[story.again] == energies("0.50", "0.70", "0.70")
    assert story.readings(story.again, COUNTS) == [5, 2, 3, 0, 1, 1]
    assert [row[0] for row in story.listed(story.again)][-1] == SUPERSEDED


def test_an_estimate_of_a_higher_revision_does_not_replace_an_actual_value(story: Story) -> None:
    assert story.seen[story.later] == energies("1", "1", "3")
    assert story.readings(story.later, COUNTS) == [5, 0, 3, 0, 1, 1]
    # The third replaced the first; the second never counted.
    first, second, third = energies("1", "2", "3")
    assert [row[:3] for row in story.listed(story.later)] == [
        [SUPERSEDED, first, second],
        ["sent again with other values", first, third],
    ]


def test_a_strange_word_counts_as_an_actual_value_and_is_flagged(story: Story) -> None:
    assert story.seen[story.strange] == energies("1", "2", "2")
    flags = story.lakehouse.sql(
        "select quality_in, quality_rank, is_quality_unknown "
        f"from iceberg.staging.stg_telemetry_raw where device_id = '{story.strange}' "
        "order by kafka_partition, kafka_offset"
    )
    assert flags == [["S", 3, False], ["GUESSED", 5, True], ["F", 4, False]]


@pytest.mark.parametrize("mart", ["device_daily_metrics", "customer_usage_summary"])
def test_live_knows_what_is_superseded(story: Story, mart: str) -> None:
    assert story.live[mart] == story.mart[mart]


def test_a_rebuild_finds_the_same_versions(story: Story) -> None:
    def state() -> dict[str, list[list[Any]]]:
        keys = "device_id, reading_at"
        readings = table_rows(story.lakehouse, "intermediate", "int_meter_readings", keys)
        return {"readings": readings, **contents(story.lakehouse)}

    incremental = state()

    story.lakehouse.round(is_full_refresh=True)

    assert state() == incremental

"""Ask Trino what the models found in a span of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pyarrow as pa

from stack.books.ledger import quoted
from stack.clients.trino import Trino

# Whatever stands at a local day may be half a day off in UTC.
MARGIN = timedelta(days=1)
# So many names are no burden in a statement; of more meters all are asked for.
MOST_LISTED = 1000
MOMENT = pa.timestamp("us", tz="UTC")
KWH = pa.decimal128(18, 6)
SPAN = {"device_id": pa.string(), "from_at": MOMENT, "to_at": MOMENT}

# Name of a table -> its columns, and how Trino is asked for them in their order.
QUESTIONS: Mapping[str, tuple[Mapping[str, pa.DataType], str]] = {
    "meters": (
        {
            "device_id": pa.string(),
            "customer_class": pa.string(),
            "time_zone": pa.string(),
            "service_size_kw": pa.float64(),
        },
        """
        select
            devices.device_id,
            coalesce(customers.customer_class, 'all'),
            devices.time_zone,
            cast(devices.service_size_kw as double)
        from iceberg.staging.stg_devices as devices
        left join iceberg.staging.stg_customers as customers
            on devices.customer_id = customers.customer_id
        """,
    ),
    "limits": (
        {
            "customer_class": pa.string(),
            "threshold_1": pa.float64(),
            "valid_from": pa.date32(),
            "valid_to": pa.date32(),
        },
        """
        select customer_class, cast(threshold_1 as double), valid_from, valid_to
        from iceberg.staging.stg_vee_rules
        where rule_code = 'R07' and is_active
        """,
    ),
    "installations": (
        {"device_id": pa.string(), "from_at": MOMENT},
        "select device_id, from_at from iceberg.staging.stg_meter_installations "
        "where from_at > timestamp '1970-01-01 00:00 UTC'",
    ),
    # A clock that is ahead: the hit stands when its message came, the truth when it said it was.
    "rule_hits": (
        {"rule_code": pa.string(), **SPAN},
        """
        select rule_code, device_id, from_at, to_at
        from iceberg.intermediate.int_rule_hits
        where
            rule_code <> 'R17' and device_id in ({meters})
            and local_date between date '{first_day}' and date '{last_day}'
        union all
        select
            'R17', messages.device_id, messages.reading_at - interval '1' second,
            messages.reading_at
        from iceberg.intermediate.int_rule_hits as hits
        inner join iceberg.quality.quarantine_telemetry_raw as messages
            on
                hits.device_id = messages.device_id
                and hits.to_at = messages.kafka_at
                and messages.reason = 'reading_in_future'
        where
            hits.rule_code = 'R17' and hits.device_id in ({meters})
            and hits.local_date >= date '{first_day}'
        """,
    ),
    "found_slots": (
        {
            "channel": pa.string(),
            "quality_code": pa.string(),
            "is_gap": pa.bool_(),
            "final_kwh": KWH,
            **SPAN,
        },
        """
        select
            channel, quality_code, rules_hit like '%R04%', final_kwh, device_id, slot_start_at,
            slot_end_at
        from iceberg.marts.interval_reads
        where
            device_id in ({meters})
            and local_date between date '{first_day}' and date '{last_day}'
        """,
    ),
    "spans": (
        {
            "channel": pa.string(),
            "status": pa.string(),
            "cause": pa.string(),
            "delta_kwh": KWH,
            "slots_kwh": KWH,
            "tolerance_kwh": KWH,
            **SPAN,
        },
        """
        select
            channel, status, cause, delta_kwh, slots_kwh, tolerance_kwh, device_id, from_at, to_at
        from iceberg.marts.register_reconciliation
        where
            device_id in ({meters})
            and to_at > timestamp '{first_day} 00:00 UTC'
            and from_at < timestamp '{last_day} 00:00 UTC' + interval '1' day
        """,
    ),
}

Evidence = Mapping[str, pa.Table]


def gather(trino: Trino, meters: Sequence[str], from_at: datetime, to_at: datetime) -> Evidence:
    """What the models say of meters and a span, by the names of QUESTIONS.

    Raises RetriableError.
    """
    known = {
        "meters": listed(meters),
        "first_day": (from_at - MARGIN).date().isoformat(),
        "last_day": (to_at + MARGIN).date().isoformat(),
    }
    return {
        name: table_of(columns, trino.rows(sql.format(**known)))
        for name, (columns, sql) in QUESTIONS.items()
    }


def listed(meters: Sequence[str]) -> str:
    """Meters as SQL lists them; all of them where they are too many for a statement."""
    if len(meters) > MOST_LISTED:
        return "select device_id from iceberg.staging.stg_devices"
    return ", ".join(map(quoted, meters))


def table_of(columns: Mapping[str, pa.DataType], rows: list[list[object]]) -> pa.Table:
    """Rows as a table with these columns."""
    arrays = zip(*rows, strict=True) if rows else [()] * len(columns)
    return pa.table(
        [pa.array(values, kind) for values, kind in zip(arrays, columns.values(), strict=True)],
        names=list(columns),
    )

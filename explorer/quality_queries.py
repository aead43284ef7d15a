"""What the pages ask about messages: landed, accepted, flagged, quarantined, repeated, late.

And about registers that differ from them.
"""

from __future__ import annotations

from datetime import date, datetime

from explorer.queries import Query


def flow() -> Query:
    """The newest row of the books, which reconciliation writes after each round, and landing now.

    landed_through: what had landed when the models processed it, as accepted and quarantined are;
    landed_now and landed: from the landing table's own metadata.
    """
    sql = """
with newest as (
    select *
    from ops.reconciliation
    where reconciled_at = (select max(reconciliation.reconciled_at) from ops.reconciliation)
)

select
    newest.reconciled_at,
    array_join(newest.differences, chr(10)) as differences,
    element_at(newest.landed, 'telemetry_raw') as landed_through,
    element_at(newest.accepted, 'telemetry_raw') as accepted,
    reduce(
        map_values(element_at(newest.quarantined, 'telemetry_raw')),
        bigint '0',
        (total, message_count) -> total + message_count,
        total -> total
    ) as quarantined,
    (
        select coalesce(max_by(cast(summary['total-records'] as bigint), committed_at), 0)
        from landing."telemetry_raw$snapshots"
    ) as landed_now,
    (select value from landing."telemetry_raw$properties" where key = 'meterhouse.landed')
        as landed
from newest
"""
    return Query(sql, (), "ops.reconciliation")


def quarantine_reasons(since: datetime) -> Query:
    """Quarantined messages by reason, of those landed since a time."""
    sql = """
select
    reason,
    count(*) as message_count,
    max(landed_at) as newest_at
from quality.quarantine_telemetry_raw
where landed_at >= ?
group by reason
order by message_count desc, reason
"""
    return Query(sql, (since,), "quality.quarantine_telemetry_raw")


def quarantined(since: datetime, reason: str, text: str, limit: int) -> Query:
    """The newest quarantined messages; reason and text narrow them where not empty."""
    sql = """
select
    landed_at,
    reason,
    message,
    message_encoding,
    coalesce(device_id, message_key) as device_id,
    kafka_partition,
    kafka_offset,
    kafka_at,
    reading_at
from quality.quarantine_telemetry_raw
where
    landed_at >= ?
    and (? = '' or reason = ?)
    and (? = '' or strpos(lower(message), lower(?)) > 0 or ? in (message_key, device_id))
order by landed_at desc, kafka_partition, kafka_offset desc
limit ?
"""
    values = (since, reason, reason, text, text, text, limit)
    return Query(sql, values, "quality.quarantine_telemetry_raw")


def quarantined_message(partition: int, offset: int) -> Query:
    """One quarantined message by its Kafka coordinates."""
    sql = """
select
    reason,
    message,
    message_encoding,
    coalesce(device_id, message_key) as device_id,
    kafka_partition,
    kafka_offset,
    kafka_at,
    landed_at
from quality.quarantine_telemetry_raw
where kafka_partition = ? and kafka_offset = ?
order by landed_at desc
limit 1
"""
    return Query(sql, (partition, offset), "quality.quarantine_telemetry_raw")


def flagged_fields(since: datetime) -> Query:
    """Side fields of accepted messages that could not be used, of those landed since a time.

    device_id: the meter that most of them came from.
    """
    sql = """
with meters as (
    select
        field,
        reason,
        device_id,
        count(*) as message_count,
        max(landed_at) as newest_at
    from quality.flagged_fields
    where landed_at >= ?
    group by field, reason, device_id
)

select
    field,
    reason,
    sum(message_count) as message_count,
    count(*) as meter_count,
    max_by(device_id, message_count) as device_id,
    max(newest_at) as newest_at
from meters
group by field, reason
order by message_count desc, field, reason
"""
    return Query(sql, (since,), "quality.flagged_fields")


def rule_hits(since: date) -> Query:
    """What the rules of validation found since a local day, by rule, severity and cause.

    device_id: the meter that most of it was found of.
    """
    sql = """
with meters as (
    select
        rule_code,
        rule_name,
        severity,
        cause,
        device_id,
        count(*) as hit_count,
        max(local_date) as newest_date
    from intermediate.int_rule_hits
    where local_date >= ?
    group by rule_code, rule_name, severity, cause, device_id
)

select
    rule_code,
    rule_name,
    severity,
    cause,
    sum(hit_count) as hit_count,
    count(*) as meter_count,
    max_by(device_id, hit_count) as device_id,
    max(newest_date) as newest_date
from meters
group by rule_code, rule_name, severity, cause
order by rule_code, severity, cause
"""
    return Query(sql, (since,), "intermediate.int_rule_hits")


def register_differences(since: datetime, limit: int) -> Query:
    """Spans between register reads that differ from the readings, or were reset; newest first."""
    sql = """
select
    device_id,
    status,
    cause,
    delta_kwh,
    slots_kwh,
    difference_kwh,
    ratio,
    from_at,
    to_at
from marts.register_reconciliation
where to_at >= ? and (cause is not null or status = 'RESET')
order by to_at desc, device_id
limit ?
"""
    return Query(sql, (since, limit), "marts.register_reconciliation")


def arrivals(since: datetime, unit: str) -> Query:
    """Accepted messages by time of landing: how many, how late, and how long each step took.

    unit: hour or day. late_count: received by Kafka more than an hour after the reading.
    land_s: median seconds from Kafka to landing; model_s: from landing to staging.
    """
    if unit not in {"hour", "day"}:
        raise ValueError(unit)
    # A median of few distinct lengths with their counts costs half as much as one of all messages.
    sql = f"""
with lengths as (
    select
        date_trunc('{unit}', landed_at) as landed_at,
        date_diff('millisecond', kafka_at, landed_at) / 100 as land_ds,
        date_diff('second', landed_at, loaded_at) as model_s,
        count(*) as message_count,
        count_if(kafka_at > reading_at + interval '1' hour) as late_count
    from staging.stg_telemetry_raw
    where landed_at >= ?
    group by 1, 2, 3
)

select
    landed_at,
    sum(message_count) as message_count,
    sum(late_count) as late_count,
    approx_percentile(land_ds, message_count, 0.5) / 10.0 as land_s,
    approx_percentile(model_s, message_count, 0.5) as model_s
from lengths
group by 1
order by 1
"""  # noqa: S608 - one of two words
    return Query(sql, (since,), "staging.stg_telemetry_raw")


def incomplete(since: date, limit: int) -> Query:
    """Meters with slots missing since a local day, those with most of them first.

    missing_days: local days on which one is missing; completeness_pct: of what is due.
    """
    sql = """
select
    device_id,
    sum(missing) as missing,
    sum(expected_slots) as expected_slots,
    count_if(missing > 0) as missing_days,
    100e0 * sum(expected_slots - missing - pending)
    / nullif(sum(expected_slots - pending), 0) as completeness_pct,
    max(last_slot_at) as last_slot_at
from marts.read_completeness
where local_date >= ?
group by device_id
having sum(missing) > 0
order by missing desc, device_id
limit ?
"""
    return Query(sql, (since, limit), "marts.read_completeness")


def repeats(since: date) -> Query:
    """Duplicates, corrections and superseded messages by the local day of the reading."""
    sql = """
select
    reading_date,
    sum(reading_count) as reading_count,
    sum(duplicate_count) as duplicate_count,
    sum(correction_count) as correction_count,
    sum(superseded_count) as superseded_count
from marts.device_daily_metrics
where reading_date >= ?
group by reading_date
order by reading_date
"""
    return Query(sql, (since,), "marts.device_daily_metrics")

"""What the pages ask the lakehouse: SQL texts with their parameters, no connection.

Values are always parameters. Dates are local days of the meters, times are in UTC. Table names
have no catalog: the connection names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

LISTED_PER_STATUS = 8
LIST_LIMIT = 5000
LOG_LIMIT = 50
# Half-hour slots are the grid of every chart of load.
SLOT_SECONDS = 1800
# Local days begin up to 14 hours before and end up to 12 hours after the UTC day.
ZONE_MARGIN = timedelta(hours=14)

Value = str | int | date | datetime


@dataclass(frozen=True)
class Query:
    """One statement. tables: what must be there for it, as people would name it."""

    sql: str
    values: tuple[Value, ...] = ()
    tables: str = ""


def utc_midnight(day: date) -> datetime:
    """The start of a day in UTC."""
    return datetime.combine(day, time(), UTC)


def around(first: date, last: date) -> tuple[datetime, datetime]:
    """Times in UTC that enclose the local days first to last in every time zone."""
    return (
        utc_midnight(first) - ZONE_MARGIN,
        utc_midnight(last + timedelta(days=1)) + ZONE_MARGIN,
    )


def energy_today(today: date) -> Query:
    """Energy of today as far as it can be compared with the same weekday a week ago.

    compared_kwh, earlier_kwh: of the meters that reported on both days, in the hours that they
    reported on both, so that a day that began late or is not over is compared with its like. A
    reading's time is the end of its interval: that of a day's last one is midnight.
    """
    earlier = today - timedelta(days=7)
    sql = """
with readings as (
    select
        device_id,
        energy_kwh,
        reading_date = ? as is_today,
        cast(at_timezone(reading_at - interval '0.001' second, time_zone) as time(6))
            as local_time
    from intermediate.int_meter_readings
    where
        reading_date in (?, ?)
        and reading_at between ? and ?
),

hours as (
    select
        device_id,
        greatest(
            min(local_time) filter (where is_today), min(local_time) filter (where not is_today)
        ) as from_time,
        least(
            max(local_time) filter (where is_today), max(local_time) filter (where not is_today)
        ) as until_time
    from readings
    group by device_id
)

select
    sum(readings.energy_kwh) filter (
        where readings.is_today
        and readings.local_time between hours.from_time and hours.until_time
    ) as compared_kwh,
    sum(readings.energy_kwh) filter (
        where not readings.is_today
        and readings.local_time between hours.from_time and hours.until_time
    ) as earlier_kwh
from readings
inner join hours on readings.device_id = hours.device_id
"""
    values = (today, earlier, today, *around(earlier, today))
    return Query(sql, values, "intermediate.int_meter_readings")


def health_counts() -> Query:
    """Meters by status, the first of each by name with their reasons."""
    sql = f"""
with numbered as (
    select
        device_id,
        customer_id,
        device_health_status,
        reasons,
        last_seen_at,
        count(*) over (partition by device_health_status) as status_count,
        row_number() over (
            partition by device_health_status order by device_id
        ) as place
    from marts.device_health_status
)

select * from numbered
where place <= {LISTED_PER_STATUS}
order by device_health_status, device_id
"""  # noqa: S608 - a number of this module
    return Query(sql, (), "marts.device_health_status")


def alert_counts(since: date) -> Query:
    """Customers by the alert of their newest day since a date."""
    sql = """
with newest as (
    select max_by(customer_alert_status, reading_date) as customer_alert_status
    from marts.customer_usage_live
    where reading_date >= ?
    group by customer_id
)

select customer_alert_status, count(*) as customer_count
from newest
group by customer_alert_status
"""
    return Query(sql, (since,), "marts.customer_usage_live")


def fleet_days(since: date) -> Query:
    """Energy, meters and newest reading by local day since a date, with what landed just now."""
    sql = """
select
    reading_date,
    sum(total_energy_kwh) as energy_kwh,
    count(*) as meter_count,
    max(last_reading_at) as newest_reading_at
from marts.device_daily_metrics_live
where reading_date >= ?
group by reading_date
order by reading_date
"""
    return Query(sql, (since,), "marts.device_daily_metrics_live")


def meters() -> Query:
    """Every meter in service with its health, customer and place in the grid."""
    sql = f"""
select
    health.device_id,
    health.customer_id,
    customers.customer_name,
    devices.transformer_id,
    devices.model,
    health.device_health_status,
    health.reasons,
    health.health_score_pct,
    health.week_warning_count,
    health.battery_pct,
    health.battery_trend_pct_per_day,
    health.open_fault_count,
    health.last_seen_at
from marts.device_health_status as health
left join staging.stg_devices as devices on health.device_id = devices.device_id
left join staging.stg_customers as customers on health.customer_id = customers.customer_id
order by health.device_id
limit {LIST_LIMIT}
"""  # noqa: S608 - a number of this module
    return Query(sql, (), "marts.device_health_status")


def as_master_data_has_it(name: str) -> str:
    """A name that PostgreSQL can be asked for: no text of its own holds a zero byte."""
    return name.replace("\0", "\ufffd")


def meter(device_id: str) -> Query:
    """Master data and health of one meter; no row if master data does not know it."""
    sql = """
select
    devices.*,
    customers.customer_name,
    customers.customer_class,
    health.device_health_status,
    health.reasons,
    health.open_faults,
    health.health_score_pct,
    health.week_health_score_pct,
    health.completeness_pct,
    health.missing_count,
    health.battery_pct,
    health.battery_trend_pct_per_day,
    health.week_warning_count,
    health.open_fault_count,
    health.last_seen_at
from staging.stg_devices as devices
left join staging.stg_customers as customers on devices.customer_id = customers.customer_id
left join marts.device_health_status as health on devices.device_id = health.device_id
where devices.device_id = ? and devices.known_until is null
"""
    values = (as_master_data_has_it(device_id),)
    return Query(sql, values, "staging.stg_devices and marts.device_health_status")


def meter_slots(device_id: str, start: datetime, end: datetime) -> Query:
    """Energy and voltage of one meter by half-hour slot of measurement.

    start, end: UTC; slots that begin from start on and before end. A reading's time is the end of
    what it measured, so it counts for the slot just before it.
    """
    sql = f"""
with readings as (
    select
        from_unixtime(
            floor((to_unixtime(reading_at) - 0.001) / {SLOT_SECONDS}) * {SLOT_SECONDS}, 'UTC'
        ) as slot_at,
        energy_kwh,
        voltage,
        is_warning
    from intermediate.int_meter_readings
    where device_id = ? and reading_at > ? and reading_at <= ?
)

select
    slot_at,
    sum(energy_kwh) as energy_kwh,
    min(voltage) as min_voltage,
    avg(voltage) as avg_voltage,
    max(voltage) as max_voltage,
    count_if(is_warning) as warning_count,
    count(*) as reading_count
from readings
group by slot_at
order by slot_at
"""  # noqa: S608 - a number of this module
    return Query(sql, (device_id, start, end), "intermediate.int_meter_readings")


def meter_days(device_id: str, since: date) -> Query:
    """The daily figures of one meter since a local day."""
    sql = """
select
    reading_date,
    total_energy_kwh,
    min_voltage,
    max_voltage,
    avg_battery_pct,
    reading_count,
    warning_count,
    duplicate_count,
    correction_count,
    health_score_pct,
    device_health_status
from marts.device_daily_metrics_live
where device_id = ? and reading_date >= ?
order by reading_date
"""
    return Query(sql, (device_id, since), "marts.device_daily_metrics_live")


def meter_warnings(device_id: str, since: datetime) -> Query:
    """The newest readings of one meter whose status is not OK."""
    sql = f"""
select reading_at, status, voltage, energy_kwh, battery_pct, kafka_partition, kafka_offset
from intermediate.int_meter_readings
where device_id = ? and reading_at >= ? and is_warning
order by reading_at desc
limit {LOG_LIMIT}
"""  # noqa: S608 - a number of this module
    return Query(sql, (device_id, since), "intermediate.int_meter_readings")


def meter_rule_hits(device_id: str, since: date) -> Query:
    """What the rules of validation found of one meter since a local day, the newest first."""
    sql = f"""
select
    rule_code,
    rule_name,
    severity,
    cause,
    channel,
    measured,
    limit_value,
    from_at,
    to_at
from intermediate.int_rule_hits
where device_id = ? and local_date >= ?
order by from_at desc, rule_code
limit {LOG_LIMIT}
"""  # noqa: S608 - a number of this module
    return Query(sql, (device_id, since), "intermediate.int_rule_hits")


def meter_logs(device_id: str) -> Query:
    """The newest fault-log lines that name one meter."""
    sql = f"""
select
    coalesce(logged_at, kafka_at) as seen_at,
    logged_at is null as is_kafka_time,
    log_level,
    event_type,
    raw_text,
    kafka_partition,
    kafka_offset
from staging.stg_meter_health_logs
where device_id = ?
order by coalesce(logged_at, kafka_at) desc
limit {LOG_LIMIT}
"""  # noqa: S608 - a number of this module
    return Query(sql, (device_id,), "staging.stg_meter_health_logs")


def tables() -> Query:
    """The tables and views that the user may read."""
    sql = """
select table_schema || '.' || table_name as name
from information_schema.tables
where table_schema in ('marts', 'staging', 'quality', 'intermediate')
order by table_schema, table_name
"""
    return Query(sql, (), "information_schema.tables")


def columns(schema: str, table: str) -> Query:
    """The columns of one table with their comments; asked for one, Trino answers at once."""
    sql = """
select column_name, data_type, comment
from information_schema.columns
where table_schema = ? and table_name = ?
order by ordinal_position
"""
    return Query(sql, (schema, table), "information_schema.columns")

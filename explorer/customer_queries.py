"""What the pages ask about customers: energy by day and month, alerts, meters."""

from __future__ import annotations

from datetime import date, timedelta

from explorer.queries import LIST_LIMIT, Query, as_master_data_has_it


def customers(first: date, today: date) -> Query:
    """Each customer's energy from a day to today, the same number of days before, and alert."""
    days = (today - first).days + 1
    sql = f"""
with days as (
    select * from marts.customer_usage_live
    where reading_date between ? and ?
),

sums as (
    select
        customer_id,
        sum(total_energy_kwh) filter (where reading_date >= ?) as energy_kwh,
        sum(total_energy_kwh) filter (where reading_date < ?) as earlier_kwh,
        count(*) filter (where reading_date >= ?) as day_count,
        count(*) filter (where reading_date < ?) as earlier_day_count,
        sum(total_warnings) filter (where reading_date >= ?) as warning_count,
        max_by(customer_alert_status, reading_date) as customer_alert_status,
        max_by(active_device_count, reading_date) as meter_count,
        max(reading_date) as last_date
    from days
    group by customer_id
)

select
    customers.customer_id,
    customers.customer_name,
    customers.customer_class,
    customers.city,
    sums.customer_alert_status,
    sums.energy_kwh,
    sums.earlier_kwh,
    sums.day_count,
    sums.earlier_day_count,
    sums.meter_count,
    sums.warning_count,
    sums.last_date
from staging.stg_customers as customers
left join sums on customers.customer_id = sums.customer_id
order by customers.customer_id
limit {LIST_LIMIT}
"""  # noqa: S608 - a number of this module
    values = (first - timedelta(days=days), today, *[first] * 5)
    return Query(sql, values, "staging.stg_customers and marts.customer_usage_live")


def customer(customer_id: str) -> Query:
    """Master data of one customer; no row if it is not known."""
    sql = "select * from staging.stg_customers where customer_id = ?"
    return Query(sql, (as_master_data_has_it(customer_id),), "staging.stg_customers")


def customer_days(customer_id: str, since: date) -> Query:
    """The daily figures of one customer since a local day."""
    sql = """
select
    reading_date,
    total_energy_kwh,
    active_device_count,
    reading_count,
    total_warnings,
    avg_device_health,
    customer_alert_status
from marts.customer_usage_live
where customer_id = ? and reading_date >= ?
order by reading_date
"""
    return Query(sql, (customer_id, since), "marts.customer_usage_live")


def customer_months(customer_id: str, since: date) -> Query:
    """Energy of one customer by calendar month since a local day."""
    sql = """
select
    date_trunc('month', reading_date) as month_date,
    sum(total_energy_kwh) as energy_kwh,
    count(*) as day_count
from marts.customer_usage_summary
where customer_id = ? and reading_date >= ?
group by 1
order by 1
"""
    return Query(sql, (customer_id, since), "marts.customer_usage_summary")


def customer_meters(customer_id: str, since: date) -> Query:
    """The meters of one customer: health now, and the newest day's figures since a date."""
    sql = """
with newest as (
    select
        device_id,
        max(reading_date) as last_date,
        max_by(device_health_status, reading_date) as day_status,
        max_by(warning_count, reading_date) as day_warning_count,
        max_by(reading_count, reading_date) as day_reading_count
    from marts.device_daily_metrics
    where customer_id = ? and reading_date >= ?
    group by device_id
)

select
    health.device_id,
    health.device_health_status,
    health.reasons,
    health.battery_pct,
    health.last_seen_at,
    newest.last_date,
    newest.day_status,
    newest.day_warning_count,
    newest.day_reading_count
from marts.device_health_status as health
left join newest on health.device_id = newest.device_id
where health.customer_id = ?
order by health.device_id
"""
    return Query(sql, (customer_id, since, customer_id), "marts.device_health_status")

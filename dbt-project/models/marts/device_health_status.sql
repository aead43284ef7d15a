{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key='device_id',
) }}
-- depends_on: {{ ref('customer_usage_summary') }}
-- Nothing of it is read: the marts that follow each batch come first.
{%- set window = snapshot_window(
    [ref('device_daily_metrics'), ref('int_device_last_events')],
    ref('stg_devices')
) %}

{{ run_note(window) }}
with devices as (
    select * from {{ ref('int_device_state') }}
),

device_days as (
    select
        *,
        -- Of the days with a charge; the others are no point of the battery's line.
        if(
            avg_battery_pct is not null,
            date_diff(
                'day',
                cast({{ as_of(window) }} as date)
                - interval '{{ var("health_days") }}' day,
                reading_date
            )
        ) as battery_day,
        row_number() over (partition by device_id order by reading_date desc) as newness
    from {{ ref('device_daily_metrics') }}
    where
        reading_date
        > cast({{ as_of(window) }} as date) - interval '{{ var("health_days") }}' day
),

weeks as (
    select
        device_id,
        cast(
            cast(100 * sum(ok_count) as decimal(18, 4))
            / sum(reading_count) as decimal(5, 2)
        ) as week_health_score_pct,
        sum(warning_count) as week_warning_count,
        max_by(last_battery_pct, reading_date) filter (
            where last_battery_pct is not null
        ) as week_battery_pct,
        -- Slope of the least-squares line through the daily means; the sums are exact.
        cast(
            cast(
                count(battery_day) * sum(battery_day * avg_battery_pct)
                - sum(battery_day) * sum(avg_battery_pct) as double
            ) / nullif(
                cast(
                    count(battery_day) * sum(battery_day * battery_day)
                    - sum(battery_day) * sum(battery_day) as double
                ), 0
            ) as decimal(9, 3)
        ) as battery_trend_pct_per_day
    from device_days
    group by device_id
),

last_days as (
    select * from device_days
    where newness = 1
),

events as (
    select * from {{ ref('int_device_last_events') }}
),

fault_rules as (
    select * from {{ ref('int_fault_rules') }}
),

open_faults as (
    select
        events.device_id,
        count(*) as open_fault_count,
        count_if(fault_rules.severity = 'major') as major_fault_count,
        array_join(array_sort(array_agg(events.event_type)), ', ') as open_faults
    from events
    inner join fault_rules on events.event_type = fault_rules.event_type
    left join events as clearing
        on
            events.device_id = clearing.device_id
            and fault_rules.cleared_by = clearing.event_type
            and events.last_event_at <= clearing.last_event_at
    where
        fault_rules.is_fault
        and clearing.device_id is null
        and events.last_event_at
        > {{ as_of(window) }} - fault_rules.open_days * interval '1' day
    group by events.device_id
),

assessed as (
    select
        devices.*,
        last_days.health_score_pct,
        weeks.week_health_score_pct,
        weeks.battery_trend_pct_per_day,
        -- A reading without a charge hides none that is known.
        coalesce(devices.last_battery_pct, weeks.week_battery_pct) as battery_pct,
        coalesce(last_days.warning_count, 0) as warning_count,
        coalesce(weeks.week_warning_count, 0) as week_warning_count,
        coalesce(open_faults.open_fault_count, 0) as open_fault_count,
        coalesce(open_faults.open_faults, '') as open_faults,
        coalesce(open_faults.major_fault_count, 0) > 0 as has_major_fault,
        coalesce(
            coalesce(devices.last_battery_pct, weeks.week_battery_pct)
            < {{ var('battery_low_pct') }},
            false
        ) as is_battery_low,
        devices.last_seen_at is null as is_never_seen,
        coalesce(
            devices.last_seen_at < {{ as_of(window) }} - devices.interval_minutes
            * {{ var('silent_after_intervals') }} * interval '1' minute,
            false
        ) as is_silent,
        coalesce(last_days.device_health_status, 'HEALTHY') as day_status
    from devices
    left join last_days on devices.device_id = last_days.device_id
    left join weeks on devices.device_id = weeks.device_id
    left join open_faults on devices.device_id = open_faults.device_id
),

device_health_status as (
    select
        device_id,
        customer_id,
        case
            when
                is_never_seen
                or is_silent
                or has_major_fault
                or day_status = 'UNHEALTHY'
                then 'UNHEALTHY'
            when is_battery_low or open_fault_count > 0 or day_status = 'DEGRADED'
                then 'DEGRADED'
            else 'HEALTHY'
        end as device_health_status,
        array_join(
            filter(
                array[
                    if(is_never_seen, 'never seen'),
                    if(is_silent, 'silent'),
                    if(day_status != 'HEALTHY', concat(lower(day_status), ' day')),
                    if(is_battery_low, 'low battery'),
                    if(open_fault_count > 0, concat('open faults: ', open_faults))
                ],
                reason -> reason is not null
            ), '; '
        ) as reasons,
        open_faults,
        health_score_pct,
        week_health_score_pct,
        battery_pct,
        battery_trend_pct_per_day,
        warning_count,
        week_warning_count,
        open_fault_count,
        last_seen_at
    from assessed
)

select * from device_health_status

{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key='device_id',
) }}
-- depends_on: {{ ref('customer_usage_summary') }}
-- Nothing of it is read: the marts that follow each batch come first.
{%- set window = snapshot_window(
    [
        ref('device_daily_metrics'),
        ref('int_device_last_events'),
        ref('int_energy_days'),
    ],
    ref('int_device_state')
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
        min(first_reading_at) filter (
            where last_battery_pct < {{ var('battery_low_pct') }}
        ) as battery_low_since,
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
        min(events.last_event_at) as open_since,
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

dates as (
    -- Of the last 24 hours that are due, in zones 14 hours ahead of UTC or 12 after it.
    select days.local_date
    from unnest(sequence(
        cast({{ as_of(window) }} as date) - interval '3' day,
        cast({{ as_of(window) }} as date) + interval '1' day
    )) as days (local_date)
),

periods as (
    select periods.*
    from {{ ref('stg_device_periods') }} as periods
    inner join devices on periods.device_id = devices.device_id
    where
        periods.to_at is null
        or periods.to_at > {{ as_of(window) }} - interval '3' day
),

expected_days as (
    {{ expected_days_of('periods', 'dates', as_of(window)) }}
),

energy_days as (
    select * from {{ ref('int_energy_days') }}
    where
        local_date >= cast({{ as_of(window) }} as date) - interval '3' day
),

due_days as (
    select
        expected_days.device_id,
        expected_days.slot_us,
        expected_days.day_start_us,
        least(expected_days.due_slots, expected_days.slots_until) as due_slots,
        greatest(
            expected_days.first_slot,
            (
                {{ epoch_us(as_of(window)) }} - expected_days.day_start_us
                - 60000000 * (bigint '1440' + {{ var('estimate_after_minutes') }})
            ) / expected_days.slot_us
        ) as first_slot,
        coalesce(energy_days.slot_starts_us, cast(array[] as array(bigint)))
            as slot_starts_us
    from expected_days
    left join energy_days
        on
            expected_days.device_id = energy_days.device_id
            and expected_days.channel = energy_days.channel
            and expected_days.local_date = energy_days.local_date
),

missing_slots as (
    select
        device_id,
        slot_us,
        due_slots - first_slot as due_count,
        array_except({{ slot_starts_us('first_slot', 'due_slots') }}, slot_starts_us)
            as missing_us
    from due_days
    where first_slot < due_slots
),

due_slots as (
    -- Less than the time that a slot is PENDING says nothing of a meter just installed.
    select
        device_id,
        sum(due_count) as due_count,
        sum(cardinality(missing_us)) as missing_count,
        min(array_min(missing_us)) as missing_since_us
    from missing_slots
    group by device_id
    having
        sum(due_count * slot_us)
        >= 60000000 * bigint '{{ var("estimate_after_minutes") }}'
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
        open_faults.open_since,
        weeks.battery_low_since,
        last_days.first_reading_at as day_since,
        due_slots.due_count,
        due_slots.missing_count,
        100e0 * due_slots.missing_count / due_slots.due_count as missing_pct,
        {{ moment_of_us('due_slots.missing_since_us') }} as missing_since,
        {{ share_pct(
            'due_slots.due_count - due_slots.missing_count', 'due_slots.due_count'
        ) }} as completeness_pct,
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
    left join due_slots on devices.device_id = due_slots.device_id
),

weighed as (
    -- What is never seen or silent is missing, too, and is not said twice.
    select
        *,
        case
            when is_never_seen or is_silent then 0
            when missing_pct > {{ var('unhealthy_missing_pct') }} then 2
            when missing_pct > {{ var('degraded_missing_pct') }} then 1
            else 0
        end as missing_weight,
        concat('open faults: ', open_faults) as fault_text,
        concat(
            'missing readings: ',
            cast(missing_count as varchar), ' of ', cast(due_count as varchar)
        ) as missing_text
    from assessed
),

explained as (
    -- Those that make a meter UNHEALTHY come first.
    select
        *,
        filter(
            array[
                if(is_never_seen, row('never seen', installed_at)),
                if(is_silent, row('silent', last_seen_at)),
                if(has_major_fault, row(fault_text, open_since)),
                if(day_status = 'UNHEALTHY', row('unhealthy day', day_since)),
                if(missing_weight = 2, row(missing_text, missing_since)),
                if(day_status = 'DEGRADED', row('degraded day', day_since)),
                if(missing_weight = 1, row(missing_text, missing_since)),
                if(
                    is_battery_low,
                    row('low battery', coalesce(battery_low_since, last_seen_at))
                ),
                if(
                    open_fault_count > 0 and not has_major_fault,
                    row(fault_text, open_since)
                )
            ],
            reason -> reason is not null
        ) as reasons_found
    from weighed
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
                or missing_weight = 2
                then 'UNHEALTHY'
            when
                is_battery_low
                or open_fault_count > 0
                or day_status = 'DEGRADED'
                or missing_weight = 1
                then 'DEGRADED'
            else 'HEALTHY'
        end as device_health_status,
        array_join(transform(reasons_found, reason -> reason[1]), '; ') as reasons,
        open_faults,
        health_score_pct,
        week_health_score_pct,
        completeness_pct,
        battery_pct,
        battery_trend_pct_per_day,
        warning_count,
        week_warning_count,
        open_fault_count,
        coalesce(missing_count, 0) as missing_count,
        transform(
            reasons_found,
            reason -> cast(reason[2] as timestamp(6) with time zone)
        ) as reasons_since,
        last_seen_at
    from explained
)

select * from device_health_status

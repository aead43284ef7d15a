{{ config(materialized='view', view_security='definer') }}
{#- Trino plans a CTE again at each mention: none is mentioned oftener than it must. #}
{%- set mart = ref('device_daily_metrics') %}
{%- set columns_of_messages %}
        device_id,
        customer_id,
        status,
        quality_in,
        energy_kwh,
        voltage,
        battery_pct,
        register_kwh,
        export_kwh,
        register_export_kwh,
        interval_s,
        quality_rank,
        revision,
        is_old,
        kafka_partition,
        kafka_offset,
        batch_id,
        reading_at,
        kafka_at,
        landed_at
{%- endset %}
{%- set columns_of_readings %}
        device_id,
        customer_id,
        energy_kwh,
        voltage,
        battery_pct,
        duplicate_count,
        correction_count,
        superseded_count,
        is_warning,
        is_customer_mismatch,
        batch_id,
        reading_at,
        landed_at
{%- endset %}
{%- set columns_of_days %}
        device_id,
        customer_id,
        reading_date,
        total_energy_kwh,
        avg_voltage,
        min_voltage,
        max_voltage,
        avg_battery_pct,
        last_battery_pct,
        reading_count,
        voltage_count,
        ok_count,
        warning_count,
        duplicate_count,
        correction_count,
        superseded_count,
        customer_mismatch_count,
        health_score_pct,
        device_health_status,
        batch_id,
        first_reading_at,
        last_reading_at,
        landed_at
{%- endset %}

with device_days as (
    -- Named first: Trino opens the mart before what a round writes before the mart.
    select * from {{ mart }}
),

held_readings as (
    select * from {{ ref('int_meter_readings') }}
),

held_messages as (
    -- What a round has brought here and not yet to the mart is taken from landing.
    select * from {{ ref('stg_telemetry_raw') }}
    where batch_id <= {{ counted_through(mart, 'batch_id') }}
),

landed as (
    -- The time, which may be that of the mart's last batch, prunes partitions.
    select * from {{ source('landing', 'telemetry_raw') }}
    where landed_at >= {{ counted_through(mart, 'landed_at') }}
),

devices as (
    select * from {{ ref('stg_devices') }}
),

periods as (
    select * from {{ ref('stg_device_periods') }}
),

messages as (
    select * from landed
    where batch_id > {{ counted_through(mart, 'batch_id') }}
),

accepted as (
    {{ accepted_telemetry('messages', 'devices') }}
),

touched_readings as (
    -- One too many, of a message that is rejected, changes nothing.
    select distinct
        device_id,
        reading_at
    from landed
),

touched_messages as (
    select held_messages.*
    from held_messages
    inner join touched_readings
        on
            held_messages.device_id = touched_readings.device_id
            and held_messages.reading_at = touched_readings.reading_at
),

all_messages as (
    select
        {{- columns_of_messages }}
    from accepted
    union all
    select
        {{- columns_of_messages }}
    from touched_messages
),

new_readings as (
    {{ meter_readings_of('all_messages', 'periods') }}
),

placed_readings as (
    -- A correction of its length moves a reading: the day that it leaves is worked out
    -- again without it. One longer than a day may have been on any day, and waits.
    select
        new_readings.*,
        dates.version_date
    from new_readings
    cross join unnest(new_readings.version_dates) as dates (version_date)
    where
        new_readings.version_dates[1]
        >= cast(new_readings.reading_at - interval '36' hour as date)
),

touched_days as (
    -- Whatever the meter's time zone and the length up to a day, its day is one of
    -- these.
    select distinct
        landed.device_id,
        days.reading_date
    from landed
    cross join unnest(sequence(
        cast(landed.reading_at - interval '36' hour as date),
        cast(landed.reading_at + interval '14' hour as date)
    )) as days (reading_date)
),

touched_day_readings as (
    select held_readings.*
    from held_readings
    inner join touched_days
        on
            held_readings.device_id = touched_days.device_id
            and held_readings.reading_date = touched_days.reading_date
),

all_readings as (
    select
        {{- columns_of_readings }},
        version_date as reading_date,
        version_date = reading_date as is_counted,
        true as is_new
    from placed_readings
    union all
    select
        {{- columns_of_readings }},
        reading_date,
        true as is_counted,
        false as is_new
    from touched_day_readings
),

numbered_readings as (
    -- The day is part of the key, so that a condition on it reaches the tables.
    select
        *,
        row_number() over (
            partition by device_id, reading_date, reading_at
            order by is_new desc
        ) as place
    from all_readings
),

readings as (
    select
        device_id,
        {%- for column in columns_of_readings.split(',')[1:] %}
        if(is_counted, {{ column | trim }}) as {{ column | trim }},
        {%- endfor %}
        reading_date
    from numbered_readings
    where place = 1
),

new_days as (
    {{ device_days_of('readings') }}
),

all_days as (
    select
        {{- columns_of_days }},
        true as is_new
    from new_days
    union all
    select
        {{- columns_of_days }},
        false as is_new
    from device_days
),

numbered_days as (
    select
        *,
        row_number() over (
            partition by device_id, reading_date
            order by is_new desc
        ) as place
    from all_days
),

device_daily_metrics_live as (
    select
        {{- columns_of_days }}
    from numbered_days
    where place = 1 and reading_count > 0
)

select * from device_daily_metrics_live

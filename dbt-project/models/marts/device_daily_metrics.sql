{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['device_id', 'reading_date'],
    properties={"partitioning": "array['month(reading_date)']"},
) }}
{%- set window = processing_window(ref('int_meter_readings'), by_period=true) %}
{%- set touched = touched_ranges(
    ref('int_meter_readings'), 'reading_date', window, each_of='version_dates'
) %}
{%- set keys = 'readings' if window.rebuild else 'touched_days' %}

{{ run_note(window, 'reading_date', touched, gone='reading_count = 0') }}
with readings as (
    select * from {{ ref('int_meter_readings') }}
    where {{ in_ranges('reading_date', touched) }}
),

touched_days as (
    -- A correction of its length moves a reading; the day it leaves may have no other.
    select distinct
        readings.device_id,
        dates.reading_date
    from readings
    cross join unnest(readings.version_dates) as dates (reading_date)
    where {{ in_window(window) }}
    {%- if window.changed %}
    union distinct
    -- Another zone moves readings too.
    select
        held_days.device_id,
        held_days.reading_date
    from {{ this }} as held_days
    inner join {{ changed_devices(window) }} as changed
        on
            held_days.device_id = changed.device_id
            and held_days.reading_date
            >= cast(changed.from_at - interval '2' day as date)
    where {{ in_ranges('held_days.reading_date', touched) }}
    {%- endif %}
),

touched_readings as (
    select
        {{ keys }}.device_id,
        readings.customer_id,
        readings.energy_kwh,
        readings.voltage,
        readings.battery_pct,
        readings.duplicate_count,
        readings.correction_count,
        readings.superseded_count,
        readings.is_warning,
        readings.is_customer_mismatch,
        readings.batch_id,
        {{ keys }}.reading_date,
        readings.reading_at,
        readings.landed_at
    from readings
    {{ join_touched(
        window, 'readings', 'touched_days', ['device_id', 'reading_date'], 'right'
    ) }}
),

device_daily_metrics as (
    {{ device_days_of('touched_readings', load_id(window)) }}
)

select * from device_daily_metrics

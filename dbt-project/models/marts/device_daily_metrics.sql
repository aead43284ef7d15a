{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['device_id', 'reading_date'],
    properties={"partitioning": "array['month(reading_date)']"},
) }}
{%- set window = processing_window(ref('int_meter_readings')) %}
{%- set touched = touched_ranges(ref('int_meter_readings'), 'reading_date', window) %}

{{ run_note(window, 'reading_date', touched) }}
with readings as (
    select * from {{ ref('int_meter_readings') }}
    where {{ in_ranges('reading_date', touched) }}
),

touched_days as (
    select distinct
        device_id,
        reading_date
    from readings
    where {{ in_window(window) }}
),

touched_readings as (
    select readings.*
    from readings
    {{ join_touched(
        window, 'readings', 'touched_days', ['device_id', 'reading_date']
    ) }}
),

device_daily_metrics as (
    {{ device_days_of('touched_readings', load_id(window)) }}
)

select * from device_daily_metrics

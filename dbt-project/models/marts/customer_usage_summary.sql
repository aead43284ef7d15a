{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['customer_id', 'reading_date'],
    properties={"partitioning": "array['month(reading_date)']"},
) }}
{%- set window = processing_window(ref('device_daily_metrics')) %}
{%- set touched = touched_ranges(ref('device_daily_metrics'), 'reading_date', window) %}

{{ run_note(window, 'reading_date', touched) }}
with device_days as (
    select * from {{ ref('device_daily_metrics') }}
    where {{ in_ranges('reading_date', touched) }}
),

touched_days as (
    select distinct
        customer_id,
        reading_date
    from device_days
    where {{ in_window(window) }}
),

touched_device_days as (
    select device_days.*
    from device_days
    {{ join_touched(
        window, 'device_days', 'touched_days', ['customer_id', 'reading_date']
    ) }}
),

customer_usage_summary as (
    {{ customer_days_of('touched_device_days') }}
)

select * from customer_usage_summary

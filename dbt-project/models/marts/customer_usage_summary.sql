{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['customer_id', 'reading_date'],
    properties={"partitioning": "array['month(reading_date)']"},
) }}
{%- set window = processing_window(ref('device_daily_metrics')) %}
{%- set touched = whole_ranges(ref('device_daily_metrics'), 'reading_date', window) %}

{{ run_note(window, 'reading_date', touched) }}
with device_days as (
    -- All meters of the days: one that is gone from a day changes its customer too.
    select * from {{ ref('device_daily_metrics') }}
    where {{ in_ranges('reading_date', touched) }}
),

customer_usage_summary as (
    {{ customer_days_of('device_days') }}
)

select * from customer_usage_summary

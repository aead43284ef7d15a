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
    select
        customer_id,
        reading_date,
        cast(sum(total_energy_kwh) as decimal(18, 6)) as total_energy_kwh,
        -- Each reading weighs the same, whichever meter it is from.
        cast(
            sum(avg_voltage * reading_count) / sum(reading_count) as decimal(9, 3)
        ) as avg_voltage,
        count(*) as active_device_count,
        sum(reading_count) as reading_count,
        sum(warning_count) as total_warnings,
        cast(avg(health_score_pct) as decimal(5, 2)) as avg_device_health,
        case
            when count_if(device_health_status = 'UNHEALTHY') > 0 then 'ACTION_REQUIRED'
            when count_if(device_health_status = 'DEGRADED') > 0 then 'MONITOR'
            else 'NORMAL'
        end as customer_alert_status,
        max(batch_id) as batch_id,
        max(landed_at) as landed_at
    from touched_device_days
    group by customer_id, reading_date
)

select * from customer_usage_summary

{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key='device_id',
) }}
{%- set window = processing_window(ref('int_meter_readings')) %}

{{ run_note(window) }}
with new_readings as (
    select
        device_id,
        battery_pct,
        voltage,
        status,
        batch_id,
        reading_at,
        landed_at
    from {{ ref('int_meter_readings') }}
    where {{ in_window(window) }}
),

candidates as (
    select
        *,
        true as is_new
    from new_readings
    {%- if not window.rebuild %}
    union all
    select
        device_id,
        last_battery_pct as battery_pct,
        last_voltage as voltage,
        last_status as status,
        batch_id,
        last_seen_at as reading_at,
        landed_at,
        false as is_new
    from {{ this }}
    where device_id in (select new_readings.device_id from new_readings)
    {%- endif %}
),

ranked as (
    select
        *,
        -- A correction of the newest reading has its time and a later batch; one that
        -- came back from quarantine can be of the same batch.
        row_number() over (
            partition by device_id
            order by reading_at desc, batch_id desc, is_new desc
        ) as newness
    from candidates
),

int_device_last_readings as (
    select
        device_id,
        status as last_status,
        battery_pct as last_battery_pct,
        voltage as last_voltage,
        batch_id,
        reading_at as last_seen_at,
        landed_at
    from ranked
    where newness = 1
)

select * from int_device_last_readings

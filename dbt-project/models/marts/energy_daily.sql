{{ config(materialized='view') }}

with read_days as (
    select * from {{ ref('int_read_days') }}
    where energy_kwh is not null
),

energy_daily as (
    select
        device_id,
        channel,
        energy_kwh as kwh,
        peak_kw,
        {{ load_factor('energy_kwh', 'measured_s', 'peak_kw') }} as load_factor,
        {{ share_pct(
            'expected_slots - missing_count - pending_count', 'expected_slots - pending_count'
        ) }} as completeness_pct,
        {{ share_pct(
            'estimated_count', 'expected_slots - missing_count - pending_count'
        ) }} as estimated_share_pct,
        local_date,
        peak_at
    from read_days
)

select * from energy_daily

{{ config(materialized='view') }}

with read_days as (
    select
        *,
        date_trunc('month', local_date) as local_month
    from {{ ref('int_read_days') }}
),

months as (
    -- Days without any reading count too: they are missing in their month.
    select
        device_id,
        channel,
        local_month,
        cast(sum(energy_kwh) as decimal(18, 6)) as energy_kwh,
        max(peak_kw) as peak_kw,
        sum(measured_s) as measured_s,
        sum(expected_slots) as expected_slots,
        sum(missing_count) as missing_count,
        sum(pending_count) as pending_count,
        sum(estimated_count) as estimated_count,
        max_by(peak_at, row(peak_kw, -to_unixtime(peak_at))) filter (
            where peak_kw is not null
        ) as peak_at
    from read_days
    group by device_id, channel, local_month
),

energy_monthly as (
    select
        device_id,
        channel,
        energy_kwh as kwh,
        peak_kw,
        {{ load_factor('energy_kwh', 'measured_s', 'peak_kw') }} as load_factor,
        expected_slots,
        missing_count as missing,
        pending_count as pending,
        {{ share_pct(
            'expected_slots - missing_count - pending_count', 'expected_slots - pending_count'
        ) }} as completeness_pct,
        {{ share_pct(
            'estimated_count', 'expected_slots - missing_count - pending_count'
        ) }} as estimated_share_pct,
        local_month,
        peak_at
    from months
)

select * from energy_monthly

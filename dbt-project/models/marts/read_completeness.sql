{{ config(materialized='view') }}

with read_days as (
    select * from {{ ref('int_read_days') }}
),

read_completeness as (
    select
        device_id,
        channel,
        expected_slots,
        valid_count as valid,
        suspect_count as suspect,
        derived_count as derived,
        bigint '0' as outage,
        estimated_count as estimated,
        edited_count as edited,
        missing_count as missing,
        pending_count as pending,
        {{ share_pct(
            'expected_slots - missing_count - pending_count', 'expected_slots - pending_count'
        ) }} as completeness_pct,
        {{ share_pct(
            'estimated_count', 'expected_slots - missing_count - pending_count'
        ) }} as estimated_share_pct,
        local_date,
        first_slot_at,
        last_slot_at
    from read_days
)

select * from read_completeness

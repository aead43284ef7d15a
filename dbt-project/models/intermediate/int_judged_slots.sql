{{ config(materialized='view') }}

with slots as (
    select * from {{ ref('int_interval_reads') }}
),

slot_hits as (
    select
        device_id,
        channel,
        local_date,
        from_at,
        array_agg(rule_code) as rule_codes,
        bool_or(severity = 'hard') as is_hard,
        bool_or(severity = 'soft') as is_soft
    from {{ ref('int_slot_hits') }}
    group by device_id, channel, local_date, from_at
),

day_hits as (
    select
        device_id,
        channel,
        local_date,
        array_agg(rule_code) as rule_codes,
        bool_or(severity = 'hard') as is_hard,
        bool_or(severity = 'soft') as is_soft
    from {{ ref('int_day_hits') }}
    group by device_id, channel, local_date
),

int_judged_slots as (
    select
        slots.device_id,
        slots.channel,
        -- A person who set a value has seen what rules say of it. Of an estimate and
        -- a part of a longer reading the code says already that it is less sure.
        case
            when slots.quality_code = 'EDITED' then slots.quality_code
            when slot_hits.is_hard or day_hits.is_hard then null
            when
                slots.quality_code = 'VALID'
                and (slot_hits.is_soft or day_hits.is_soft)
                then 'SUSPECT'
            else slots.quality_code
        end as quality_code,
        slots.energy_kwh,
        slots.covered_s,
        slots.odd_length_s,
        slots.slot_number,
        slots.read_count,
        slots.is_disaggregated,
        concat(
            coalesce(slot_hits.rule_codes, cast(array[] as array(varchar))),
            coalesce(day_hits.rule_codes, cast(array[] as array(varchar)))
        ) as rule_codes,
        slots.batch_id,
        slots.local_date,
        slots.slot_start_at,
        slots.slot_end_at,
        slots.landed_at
    from slots
    left join slot_hits
        on
            slots.device_id = slot_hits.device_id
            and slots.channel = slot_hits.channel
            and slots.local_date = slot_hits.local_date
            and slots.slot_start_at = slot_hits.from_at
    left join day_hits
        on
            slots.device_id = day_hits.device_id
            and slots.channel = day_hits.channel
            and slots.local_date = day_hits.local_date
)

select * from int_judged_slots

{{ config(materialized='view') }}

with expected_days as (
    select * from {{ ref('int_expected_days') }}
),

slots as (
    select * from {{ ref('int_interval_reads') }}
),

numbered as (
    select
        expected_days.*,
        numbers.slot_number,
        expected_days.day_start_us + numbers.slot_number * expected_days.slot_us
            as slot_start_us,
        least(
            expected_days.day_start_us
            + (numbers.slot_number + 1) * expected_days.slot_us,
            expected_days.day_end_us
        ) as slot_end_us
    from expected_days
    cross join unnest(sequence(
        bigint '0', expected_days.slot_count - 1
    )) as numbers (slot_number)
),

joined as (
    select
        numbered.device_id,
        numbered.channel,
        numbered.customer_id,
        numbered.time_zone,
        coalesce(
            slots.quality_code,
            if(numbered.slot_number < numbered.due_slots, 'MISSING', 'PENDING')
        ) as quality_code,
        slots.energy_kwh as raw_kwh,
        if(slots.quality_code is not null, slots.energy_kwh) as final_kwh,
        numbered.slot_end_us - numbered.slot_start_us as length_us,
        coalesce(slots.covered_s, 0) as covered_s,
        coalesce(slots.read_count, 0) as read_count,
        coalesce(slots.is_disaggregated, false) as is_disaggregated,
        slots.batch_id,
        numbered.local_date,
        {{ moment_of_us('numbered.slot_start_us') }} as slot_start_at,
        {{ moment_of_us('numbered.slot_end_us') }} as slot_end_at
    from numbered
    left join slots
        on
            numbered.device_id = slots.device_id
            and numbered.channel = slots.channel
            and numbered.local_date = slots.local_date
            and numbered.slot_number = slots.slot_number
    where
        numbered.slot_number >= numbered.first_slot
        or slots.device_id is not null
),

clocked as (
    select
        *,
        cast(at_timezone(slot_start_at, time_zone) as timestamp(6)) as slot_start_local
    from joined
),

interval_reads as (
    select
        device_id,
        channel,
        customer_id,
        quality_code,
        if(final_kwh is not null and is_disaggregated, 'DISAGGREGATED')
            as estimation_method,
        case quality_code
            when 'MISSING' then 'R04'
            when 'SUSPECT' then 'R05'
            else ''
        end as rules_hit,
        raw_kwh,
        final_kwh,
        cast(final_kwh * 3600000000 / length_us as decimal(18, 6)) as demand_kw,
        {{ share_pct('covered_s * 1000000', 'length_us') }} as coverage_pct,
        read_count,
        -- Clocks go back by so many minutes: Lord Howe's, most ones, Troll's.
        if(
            any_match(
                array[30, 60, 120],
                minutes -> cast(
                    at_timezone(
                        slot_start_at - minutes * interval '1' minute, time_zone
                    ) as timestamp(6)
                ) = slot_start_local
            ), 2, 1
        ) as occurrence,
        batch_id as known_batch_id,
        local_date,
        slot_start_local,
        slot_start_at,
        slot_end_at
    from clocked
)

select * from interval_reads

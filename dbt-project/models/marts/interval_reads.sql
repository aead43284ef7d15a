{{ config(materialized='view') }}

with expected_days as (
    select * from {{ ref('int_expected_days') }}
),

judged_slots as (
    select * from {{ ref('int_judged_slots') }}
),

written_slots as (
    select * from {{ ref('int_interval_reads') }}
),

periods as (
    select * from {{ ref('stg_device_periods') }}
),

numbered as (
    select
        expected_days.*,
        expected_days.day_start_us + numbers.slot_number * expected_days.slot_us
            as slot_start_us,
        least(
            expected_days.day_start_us
            + (numbers.slot_number + 1) * expected_days.slot_us,
            expected_days.day_end_us
        ) as slot_end_us
    from expected_days
    cross join unnest(sequence(
        expected_days.first_slot, expected_days.slots_until - 1
    )) as numbers (slot_number)
),

expected_slots as (
    select
        device_id,
        channel,
        local_date,
        {{ moment_of_us('slot_start_us') }} as slot_start_at,
        {{ moment_of_us('slot_end_us') }} as slot_end_at
    from numbered
),

slots as (
    select
        device_id,
        channel,
        quality_code,
        energy_kwh,
        covered_s,
        read_count,
        is_disaggregated,
        rule_codes,
        batch_id,
        local_date,
        slot_start_at,
        slot_end_at
    from judged_slots
    union all
    select
        expected_slots.device_id,
        expected_slots.channel,
        null as quality_code,
        null as energy_kwh,
        0 as covered_s,
        0 as read_count,
        false as is_disaggregated,
        cast(array[] as array(varchar)) as rule_codes,
        null as batch_id,
        expected_slots.local_date,
        expected_slots.slot_start_at,
        expected_slots.slot_end_at
    from expected_slots
    left join written_slots
        on
            expected_slots.device_id = written_slots.device_id
            and expected_slots.channel = written_slots.channel
            and expected_slots.slot_start_at = written_slots.slot_start_at
    where written_slots.device_id is null
),

placed as (
    -- A slot is of the period that it starts in, as a reading is.
    select
        slots.device_id,
        slots.channel,
        periods.service_point_id,
        periods.customer_id,
        periods.time_zone,
        coalesce(
            slots.quality_code,
            if(
                slots.slot_end_at
                <= {{ reads_as_of() }}
                - interval '{{ var("estimate_after_minutes") }}' minute,
                'MISSING',
                'PENDING'
            )
        ) as quality_code,
        slots.energy_kwh as raw_kwh,
        if(slots.quality_code is not null, slots.energy_kwh) as final_kwh,
        date_diff('second', slots.slot_start_at, slots.slot_end_at) as length_s,
        slots.covered_s,
        slots.read_count,
        slots.is_disaggregated,
        slots.rule_codes,
        slots.batch_id,
        slots.local_date,
        slots.slot_start_at,
        slots.slot_end_at
    from slots
    left join periods
        on
            slots.device_id = periods.device_id
            and slots.slot_start_at >= periods.from_at
            and (slots.slot_start_at < periods.to_at or periods.to_at is null)
),

clocked as (
    select
        *,
        cast(at_timezone(slot_start_at, time_zone) as timestamp(6)) as slot_start_local
    from placed
),

interval_reads as (
    select
        device_id,
        channel,
        service_point_id,
        customer_id,
        quality_code,
        if(final_kwh is not null and is_disaggregated, 'DISAGGREGATED')
            as estimation_method,
        array_join(
            array_sort(concat(
                rule_codes,
                -- A gap is due; less than a second may be missing.
                if(
                    quality_code = 'MISSING' and covered_s <= length_s - 1,
                    array['R04'],
                    cast(array[] as array(varchar))
                )
            )),
            ','
        ) as rules_hit,
        raw_kwh,
        final_kwh,
        cast(final_kwh * 3600 / length_s as decimal(18, 6)) as demand_kw,
        {{ share_pct('covered_s', 'length_s') }} as coverage_pct,
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

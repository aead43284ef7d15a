{% macro expected_days_of(periods, dates, as_of) -%}
    with stretches as (
        -- Nothing is expected of a meter before its installation, and after its removal.
        select
            *,
            'IMPORT' as channel,
            bigint '1000000' * {{ slot_seconds('interval_minutes') }} as slot_us,
            {{ epoch_us('greatest(from_at, installed_at)') }} as begin_us,
            {{ epoch_us('to_at') }} as end_us
        from {{ periods }}
        where not is_removed
    ),

    days as (
        select
            stretches.*,
            dates.local_date,
            {{ day_start_us('dates.local_date', 'stretches.time_zone') }} as day_start_us,
            {{ day_start_us("dates.local_date + interval '1' day", 'stretches.time_zone') }}
                as day_end_us,
            {{ epoch_us(as_of) }} as as_of_us,
            {{ epoch_us(as_of) }} - bigint '60000000' * {{ var('estimate_after_minutes') }} as due_us
        from stretches
        cross join {{ dates }} as dates
    ),

    counted as (
        -- A slot is of the period that it starts in. The last slot of a day may be a short one: 60
        -- minutes do not divide 24.5 hours.
        select
            *,
            (greatest(begin_us, day_start_us) - day_start_us + slot_us - 1) / slot_us
                as first_slot,
            (least(coalesce(end_us, day_end_us), day_end_us) - day_start_us + slot_us - 1) / slot_us
                as slots_until,
            if(
                due_us >= day_end_us,
                (day_end_us - day_start_us + slot_us - 1) / slot_us,
                greatest(0, (due_us - day_start_us) / slot_us)
            ) as due_slots
        from days
        where day_start_us < as_of_us
    )

    select
        device_id,
        channel,
        slot_us,
        first_slot,
        slots_until,
        due_slots,
        day_start_us,
        day_end_us,
        local_date
    from counted
    where first_slot < slots_until
{%- endmacro %}

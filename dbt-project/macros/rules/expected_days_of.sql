{% macro expected_days_of(devices, dates, as_of) -%}
    with meters as (
        select
            *,
            'IMPORT' as channel,
            bigint '1000000' * {{ slot_seconds('interval_minutes') }} as slot_us,
            {{ epoch_us('installed_at') }} as installed_us
        from {{ devices }}
    ),

    days as (
        select
            meters.device_id,
            meters.channel,
            meters.customer_id,
            meters.time_zone,
            meters.slot_us,
            meters.installed_us,
            dates.local_date,
            {{ day_start_us('dates.local_date', 'meters.time_zone') }} as day_start_us,
            {{ day_start_us("dates.local_date + interval '1' day", 'meters.time_zone') }}
                as day_end_us,
            {{ epoch_us(as_of) }} as as_of_us,
            {{ epoch_us(as_of) }} - bigint '60000000' * {{ var('estimate_after_minutes') }} as due_us
        from meters
        cross join {{ dates }} as dates
    ),

    counted as (
        -- The last slot of a day may be a short one: 60 minutes do not divide 24.5 hours.
        select
            *,
            (day_end_us - day_start_us + slot_us - 1) / slot_us as slot_count
        from days
    )

    select
        device_id,
        channel,
        customer_id,
        time_zone,
        slot_us,
        slot_count,
        if(
            installed_us is null or day_start_us >= as_of_us,
            slot_count,
            least(
                slot_count, greatest(0, (installed_us - day_start_us + slot_us - 1) / slot_us)
            )
        ) as first_slot,
        if(
            due_us >= day_end_us,
            slot_count,
            greatest(0, (due_us - day_start_us) / slot_us)
        ) as due_slots,
        day_start_us,
        day_end_us,
        local_date
    from counted
{%- endmacro %}

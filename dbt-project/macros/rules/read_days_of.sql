{% macro read_days_of(expected_days, energy_days) -%}
    with days as (
        select
            device_id,
            channel,
            local_date,
            {{ slot_starts_us('first_slot', 'least(due_slots, slots_until)') }} as due_us,
            {{ slot_starts_us('greatest(first_slot, due_slots)', 'slots_until') }} as awaited_us,
            cast(null as array(bigint)) as slot_starts_us,
            cast(null as decimal(18, 6)) as energy_kwh,
            cast(null as decimal(18, 6)) as peak_kw,
            bigint '0' as valid_count,
            bigint '0' as suspect_count,
            bigint '0' as derived_count,
            bigint '0' as estimated_count,
            bigint '0' as edited_count,
            cast(null as bigint) as measured_s,
            cast(null as timestamp(6) with time zone) as peak_at,
            cast(null as timestamp(6) with time zone) as first_slot_at,
            cast(null as timestamp(6) with time zone) as last_slot_at
        from {{ expected_days }}
        union all
        select
            device_id,
            channel,
            local_date,
            null as due_us,
            null as awaited_us,
            slot_starts_us,
            energy_kwh,
            peak_kw,
            valid_count,
            suspect_count,
            derived_count,
            estimated_count,
            edited_count,
            measured_s,
            peak_at,
            first_slot_at,
            last_slot_at
        from {{ energy_days }}
        -- A day without a value is one of those that are expected, or is none.
        where cardinality(slot_starts_us) > 0
    ),

    whole_days as (
        -- Two periods of a meter may meet on a day, and one day of energy stands beside them.
        select
            device_id,
            channel,
            local_date,
            flatten(array_agg(due_us) filter (where due_us is not null)) as due_us,
            flatten(array_agg(awaited_us) filter (where awaited_us is not null)) as awaited_us,
            coalesce(any_value(slot_starts_us), cast(array[] as array(bigint))) as slot_starts_us,
            any_value(energy_kwh) as energy_kwh,
            any_value(peak_kw) as peak_kw,
            sum(valid_count) as valid_count,
            sum(suspect_count) as suspect_count,
            sum(derived_count) as derived_count,
            sum(estimated_count) as estimated_count,
            sum(edited_count) as edited_count,
            any_value(measured_s) as measured_s,
            any_value(peak_at) as peak_at,
            any_value(first_slot_at) as first_slot_at,
            any_value(last_slot_at) as last_slot_at
        from days
        group by device_id, channel, local_date
    ),

    counted as (
        select
            *,
            valid_count + suspect_count + derived_count + estimated_count + edited_count
                as present_count,
            coalesce(cardinality(array_except(due_us, slot_starts_us)), 0) as missing_count,
            coalesce(cardinality(array_except(awaited_us, slot_starts_us)), 0) as pending_count
        from whole_days
    )

    select
        device_id,
        channel,
        energy_kwh,
        peak_kw,
        present_count + missing_count + pending_count as expected_slots,
        valid_count,
        suspect_count,
        derived_count,
        estimated_count,
        edited_count,
        missing_count,
        pending_count,
        measured_s,
        local_date,
        peak_at,
        first_slot_at,
        last_slot_at
    from counted
{%- endmacro %}

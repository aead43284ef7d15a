{% macro read_days_of(expected_days, energy_days) -%}
    with days as (
        select
            expected.*,
            energy.energy_kwh,
            energy.peak_kw,
            coalesce(energy.slot_numbers, cast(array[] as array(bigint))) as slot_numbers,
            coalesce(energy.valid_count, 0) as valid_count,
            coalesce(energy.suspect_count, 0) as suspect_count,
            coalesce(energy.derived_count, 0) as derived_count,
            coalesce(energy.estimated_count, 0) as estimated_count,
            coalesce(energy.edited_count, 0) as edited_count,
            energy.measured_s,
            energy.peak_at,
            energy.first_slot_at,
            energy.last_slot_at
        from {{ expected_days }} as expected
        left join {{ energy_days }} as energy
            on
                expected.device_id = energy.device_id
                and expected.channel = energy.channel
                and expected.local_date = energy.local_date
        -- Of days without an expected slot those that have one all the same.
        where
            expected.first_slot < expected.slot_count
            or cardinality(energy.slot_numbers) > 0
    ),

    counted as (
        select
            *,
            cardinality(slot_numbers) as present_count,
            slot_count - first_slot - cardinality(
                filter(slot_numbers, slot -> slot >= first_slot)
            ) as absent_count,
            slot_count - greatest(first_slot, due_slots) - cardinality(
                filter(slot_numbers, slot -> slot >= greatest(first_slot, due_slots))
            ) as pending_count
        from days
    )

    select
        device_id,
        channel,
        customer_id,
        energy_kwh,
        peak_kw,
        present_count + absent_count as expected_slots,
        valid_count,
        suspect_count,
        derived_count,
        estimated_count,
        edited_count,
        absent_count - pending_count as missing_count,
        pending_count,
        measured_s,
        local_date,
        peak_at,
        first_slot_at,
        last_slot_at
    from counted
{%- endmacro %}

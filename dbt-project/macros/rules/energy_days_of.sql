{% macro energy_days_of(slots) -%}
    with measured as (
        select
            *,
            -- Of a part of a slot nobody knows what the rest used.
            if(quality_code is not null, energy_kwh) as final_kwh,
            if(
                quality_code is not null,
                cast(
                    energy_kwh * 3600 / date_diff('second', slot_start_at, slot_end_at)
                    as decimal(18, 6)
                )
            ) as demand_kw
        from {{ slots }}
    )

    select
        device_id,
        channel,
        cast(sum(final_kwh) as decimal(18, 6)) as energy_kwh,
        max(demand_kw) as peak_kw,
        min(final_kwh) as least_kwh,
        coalesce(
            array_sort(array_agg({{ epoch_us('slot_start_at') }}) filter (
                where quality_code is not null
            )),
            cast(array[] as array(bigint))
        ) as slot_starts_us,
        count_if(quality_code = 'VALID') as valid_count,
        count_if(quality_code = 'SUSPECT') as suspect_count,
        count_if(quality_code = 'DERIVED') as derived_count,
        count_if(quality_code = 'ESTIMATED') as estimated_count,
        count_if(quality_code = 'EDITED') as edited_count,
        count_if(quality_code is null) as partial_count,
        count_if(quality_code is not null and odd_length_s is not null) as odd_count,
        sum(if(
            quality_code is not null,
            date_diff('second', slot_start_at, slot_end_at)
        )) as measured_s,
        max(batch_id) as batch_id,
        local_date,
        max_by(slot_start_at, row(demand_kw, -slot_number)) filter (
            where quality_code is not null
        ) as peak_at,
        min(slot_start_at) filter (where quality_code is not null) as first_slot_at,
        max(slot_start_at) filter (where quality_code is not null) as last_slot_at,
        max(landed_at) as landed_at
    from measured
    group by device_id, channel, local_date
{%- endmacro %}

{% macro channel_reads_of(readings) -%}
    {#- A second channel is a second select here. A value of rank 1 is said to be none. #}
    select
        device_id,
        'IMPORT' as channel,
        energy_kwh,
        quality_rank,
        time_zone,
        bigint '1000000' * {{ slot_seconds('interval_minutes') }} as slot_us,
        bigint '60000000' * interval_minutes as interval_us,
        {{ epoch_us('reading_at') }} - 1000 * cast(
            1000 * coalesce(interval_s, 60 * interval_minutes) as bigint
        ) as start_us,
        {{ epoch_us('reading_at') }} as end_us,
        batch_id,
        reading_date as start_date,
        landed_at
    from {{ readings }}
    where quality_rank > 1
{%- endmacro %}

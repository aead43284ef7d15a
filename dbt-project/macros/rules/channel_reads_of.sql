{% macro channel_reads_of(readings) -%}
    {#- A channel is a pair here; of one that a reading does not name there is none. A value of rank 1
        is said to be none. #}
    select
        readings.device_id,
        channels.channel,
        channels.energy_kwh,
        readings.quality_rank,
        readings.time_zone,
        bigint '1000000' * {{ slot_seconds('readings.interval_minutes') }} as slot_us,
        bigint '60000000' * readings.interval_minutes as interval_us,
        {{ epoch_us('readings.reading_at') }} - 1000 * cast(
            1000 * coalesce(readings.interval_s, 60 * readings.interval_minutes) as bigint
        ) as start_us,
        {{ epoch_us('readings.reading_at') }} as end_us,
        readings.batch_id,
        readings.reading_date as start_date,
        readings.landed_at
    from {{ readings }} as readings
    cross join unnest(
        array['IMPORT', 'EXPORT'], array[readings.energy_kwh, readings.export_kwh]
    ) as channels (channel, energy_kwh)
    where
        readings.quality_rank > 1
        and channels.energy_kwh is not null
{%- endmacro %}

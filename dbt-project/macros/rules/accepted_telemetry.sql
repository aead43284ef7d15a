{% macro accepted_telemetry(messages, devices, load_id=none) -%}
    with worded as (
        select
            *,
            {{ quality_word() }} as quality_in
        from {{ messages }}
    )

    select
        {{ kafka_key('messages') }} as telemetry_key,
        messages.device_id,
        messages.customer_id,
        messages.message_id,
        messages.kafka_topic_id,
        upper(trim(messages.status)) as status,
        messages.quality_in,
        {{ field_flags('messages', 'devices') }} as field_flags,
        try_cast(messages.energy_kwh as decimal(18, 6)) as energy_kwh,
        {{ side_value('voltage', 'messages', 'devices') }} as voltage,
        {{ side_value('battery_pct', 'messages', 'devices') }} as battery_pct,
        {{ side_value('register_kwh', 'messages', 'devices') }} as register_kwh,
        {{ side_value('export_kwh', 'messages', 'devices') }} as export_kwh,
        {{ side_value('register_export_kwh', 'messages', 'devices') }}
            as register_export_kwh,
        {{ side_value('interval_s', 'messages', 'devices') }} as interval_s,
        {{ side_value('frequency_hz', 'messages', 'devices') }} as frequency_hz,
        {{ quality_rank('messages.quality_in') }} as quality_rank,
        coalesce(messages.revision, 0) as revision,
        coalesce(
            messages.quality_in not in ('A', 'ACTUAL')
            and {{ quality_rank('messages.quality_in') }} = 5,
            false
        ) as is_quality_unknown,
        messages.reading_at
        < messages.kafka_at - interval '{{ var("old_reading_days") }}' day as is_old,
        messages.kafka_partition,
        messages.kafka_offset,
        messages.batch_id,
        {%- if load_id %}
        {{ load_id }} as load_id,
        {%- endif %}
        cast(at_timezone(messages.reading_at, 'UTC') as date) as reading_date,
        messages.reading_at,
        messages.kafka_at,
        messages.landed_at,
        {{ loaded_now() }} as loaded_at
    from worded as messages
    -- A message of a meter that master data does not know is rejected for that.
    inner join {{ devices }} as devices on messages.device_id = devices.device_id
    where {{ rejection_reason('messages', 'devices') }} is null
{%- endmacro %}

{% macro rejection_reason(message, device) -%}
    {%- set hours -%}
        coalesce(
            greatest(
                {{ side_value('interval_s', message, device) }} / 3600e0,
                {{ device }}.interval_minutes / 60e0
            ),
            {{ var('energy_unknown_interval_hours') }}e0
        )
    {%- endset -%}
    case
        {#- With all three the error is one of a side field, from a lander of 0.1.0. #}
        when
            {{ message }}.parse_error is not null
            and (
                {{ message }}.device_id is null
                or {{ message }}.reading_at is null
                or {{ message }}.energy_kwh is null
            )
            then {{ message }}.parse_error
        when
            {{ device }}.device_id is null
            or {{ message }}.reading_at > {{ device }}.known_until
            then 'unknown_device'
        when not {{ device }}.is_time_zone_known then 'unknown_time_zone'
        when try_cast({{ message }}.energy_kwh as decimal(18, 6)) is null
            or abs({{ message }}.energy_kwh)
            > {{ device }}.service_size_kw * {{ hours }} * {{ var('energy_gross_factor') }}
            then 'energy_out_of_range'
        when {{ message }}.reading_at
            > {{ message }}.kafka_at + interval '{{ var("clock_ahead_minutes") }}' minute
            then 'reading_in_future'
        when {{ message }}.reading_at
            < {{ message }}.kafka_at - interval '{{ var("oldest_reading_years") }}' year
            then 'reading_too_old'
    end
{%- endmacro %}

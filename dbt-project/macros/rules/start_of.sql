{% macro start_of(reading, device) -%}
    {#- A reading's time is the end of what it measures. -#}
    {{ reading }}.reading_at - interval '0.001' second * cast(
        1000 * coalesce({{ reading }}.interval_s, {{ device }}.interval_minutes * 60)
        as bigint
    )
{%- endmacro %}

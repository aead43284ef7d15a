{% macro in_period(reading, period) -%}
    {#- The one that holds its start. Trino has no interval below a millisecond: that a point lies a
        microsecond before its end is said by turning the bounds. -#}
    {%- set end = reading ~ '.reading_at' -%}
    {%- set length_s = reading ~ '.interval_s' -%}
    {%- set start = end ~ " - interval '0.001' second * cast(1000 * " ~ length_s ~ ' as bigint)' -%}
    {{ reading }}.device_id = {{ period }}.device_id
    and case
        when {{ length_s }} > 0 then {{ start }} >= {{ period }}.from_at
        when {{ length_s }} is not null then {{ end }} > {{ period }}.from_at
        else {{ end }} >= {{ period }}.ends_from_at
    end
    and case
        when {{ period }}.to_at is null then true
        when {{ length_s }} > 0 then {{ start }} < {{ period }}.to_at
        when {{ length_s }} is not null then {{ end }} <= {{ period }}.to_at
        else {{ end }} < {{ period }}.ends_to_at
    end
{%- endmacro %}

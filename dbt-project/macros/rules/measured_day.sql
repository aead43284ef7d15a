{% macro measured_day(reading, device) -%}
    {#- A reading's time is the end of what it measures; its day is the one that it starts on. -#}
    {%- set end = reading ~ '.reading_at' -%}
    {%- set length_s = 'coalesce(' ~ reading ~ '.interval_s, ' ~ device ~ '.interval_minutes * 60)' -%}
    {#- Read at a point, it lies a microsecond before its end: on a midnight, the day before. -#}
    cast(
        at_timezone(
            {{ end }} - interval '0.001' second * case
                when {{ length_s }} > 0 then cast(1000 * {{ length_s }} as bigint)
                when {{ end }} = date_trunc('millisecond', {{ end }}) then 1
                else 0
            end,
            {{ device }}.time_zone
        ) as date
    )
{%- endmacro %}

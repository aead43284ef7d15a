{% macro day_start_us(local_date, time_zone) -%}
    {#- Of a midnight that is skipped Trino takes the first moment after it, of one that comes twice,
        as in the Azores, the second. -#}
    {%- set midnight = 'with_timezone(cast(' ~ local_date ~ ' as timestamp(3)), ' ~ time_zone ~ ')' -%}
    {{ epoch_us(midnight) }} - if(
        cast({{ midnight }} - interval '1' hour as date) = {{ local_date }}, 3600000000, 0
    )
{%- endmacro %}

{% macro moment_of_us(epoch_us) -%}
    cast(from_unixtime_nanos(1000 * ({{ epoch_us }})) as timestamp(6) with time zone)
{%- endmacro %}

{% macro epoch_us(moment) -%}
    cast(round(to_unixtime({{ moment }}) * 1e6) as bigint)
{%- endmacro %}

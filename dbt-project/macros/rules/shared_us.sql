{% macro shared_us(other) -%}
    least({{ other }}.end_us, end_us) - greatest({{ other }}.start_us, start_us)
{%- endmacro %}

{% macro odd_length_cause(row, length_s) -%}
    if({{ length_s }} < {{ row }}.expected_s, 'SHORT_INTERVAL', 'LONG_INTERVAL')
{%- endmacro %}

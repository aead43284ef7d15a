{% macro is_odd_length(row, length_s) -%}
    abs({{ length_s }} - {{ row }}.expected_s) > {{ row }}.expected_s * rules.threshold_1 / 100
{%- endmacro %}

{% macro odd_length_limit(row, length_s) -%}
    {{ row }}.expected_s * if(
        {{ length_s }} < {{ row }}.expected_s,
        1 - rules.threshold_1 / 100,
        1 + rules.threshold_1 / 100
    )
{%- endmacro %}

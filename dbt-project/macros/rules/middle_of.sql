{% macro middle_of(sorted) -%}
    {#- Exact, where approx_percentile is not: the mean of the two in the middle. -#}
    (
        element_at({{ sorted }}, (cardinality({{ sorted }}) + 1) / 2)
        + element_at({{ sorted }}, cardinality({{ sorted }}) / 2 + 1)
    ) / 2
{%- endmacro %}

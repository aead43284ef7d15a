{% macro share_pct(part, whole) -%}
    cast(
        cast(100 * ({{ part }}) as decimal(18, 4)) / nullif({{ whole }}, 0)
        as decimal(5, 2)
    )
{%- endmacro %}

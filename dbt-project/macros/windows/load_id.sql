{% macro load_id(window) -%}
    cast({{ window.load_id }} as bigint)
{%- endmacro %}

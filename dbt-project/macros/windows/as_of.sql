{% macro as_of(window) -%}
    {{ window.as_of }}
{%- endmacro %}

{% macro quality_word() -%}
    nullif(regexp_replace(upper(trim(quality)), '[ -]+', '_'), '')
{%- endmacro %}

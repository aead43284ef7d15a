{% macro spelled(sql) %}
    {#- Trino stores a view with its own spacing, brackets, and optional words. -#}
    {%- set words = modules.re.sub('--[^\n]*|\\b(?:as|asc|row)\\b', '', sql | lower) -%}
    {{ return(modules.re.sub("[^a-z0-9_.']", '', words)) }}
{% endmacro %}

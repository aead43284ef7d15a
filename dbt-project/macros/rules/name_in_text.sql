{% macro name_in_text(text, pattern) -%}
    {#- A name stands alone: what has a letter, mark or digit beside it is part of another one. -#}
    {%- set beside = '[^\\p{L}\\p{M}\\p{N}]' -%}
    regexp_extract(
        {{ text }}, '(?:^|{{ beside }})({{ pattern | replace("'", "''") }})(?:{{ beside }}|$)', 1
    )
{%- endmacro %}

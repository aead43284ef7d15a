{% macro spelled(sql) %}
    {#- Trino stores a view with its own spacing, brackets, and optional words; what stands between
        quotes it keeps as it is. -#}
    {%- set found = [] -%}
    {%- for part in modules.re.sub('--[^\n]*', '', sql).split("'") -%}
        {%- if loop.index is odd -%}
            {%- set words = modules.re.sub('\\b(?:as|asc|row)\\b', '', part | lower) -%}
            {%- set words = words | replace('!=', '<>') -%}
            {%- do found.append(modules.re.sub('[^a-z0-9_.<>=+*/%-]', '', words)) -%}
        {%- else -%}
            {%- do found.append(part) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found | join("'")) }}
{% endmacro %}

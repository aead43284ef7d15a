{% macro table_properties(relations) %}
    {%- if 'properties' not in round_plan() -%}{{ return(asked_properties(relations)) }}{%- endif -%}
    {%- set found = [] -%}
    {%- for relation in relations -%}
        {%- do found.append(round_plan().properties.get(input_name(relation), {})) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{% macro table_properties(relations) %}
    {%- if not round_plan() -%}{{ return(asked_properties(relations)) }}{%- endif -%}
    {%- set planned = planned_properties() -%}
    {%- set found = [] -%}
    {%- for relation in relations -%}
        {%- do found.append(planned.get(input_name(relation), {})) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{% macro table_properties(relations) %}
    {%- set known = dict(round_plan().get('properties', {})) -%}
    {%- set others = [] -%}
    {%- for relation in relations -%}
        {%- if not is_planned(relation) and input_name(relation) not in known -%}
            {%- do others.append(relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for properties in asked_properties(others) -%}
        {%- do known.update({input_name(others[loop.index0]): properties}) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for relation in relations -%}
        {%- do found.append(known.get(input_name(relation), {})) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

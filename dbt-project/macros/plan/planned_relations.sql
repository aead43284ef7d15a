{% macro planned_relations(database, schema) %}
    {%- set plan = round_plan() -%}
    {%- if database != plan.get('database') or schema not in plan.relations -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set found = [] -%}
    {%- for name, type in plan.relations[schema].items() -%}
        {%- do found.append([database, name, schema, type]) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

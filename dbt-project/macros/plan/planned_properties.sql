{% macro planned_properties() %}
    {#- Of every table that models read or write, in one query of the first model that asks. -#}
    {%- set plan = round_plan() -%}
    {%- if 'properties' not in plan -%}
        {%- set tables = [] -%}
        {%- for node in graph.sources.values() | list + graph.nodes.values() | list -%}
            {%- set name = node.identifier if node.resource_type == 'source' else node.alias -%}
            {%- if plan.relations.get(node.schema, {}).get(name) == 'table' -%}
                {%- do tables.append(api.Relation.create(node.database, node.schema, name)) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set found = {} -%}
        {%- for properties in asked_properties(tables) -%}
            {%- do found.update({input_name(tables[loop.index0]): properties}) -%}
        {%- endfor -%}
        {#- Another model may have asked meanwhile, and recorded since. -#}
        {%- if 'properties' not in plan -%}{%- do plan.update({'properties': found}) -%}{%- endif -%}
    {%- endif -%}
    {{ return(plan.properties) }}
{% endmacro %}

{% macro existing_relation(relation, next_step) %}
    {%- set found = adapter.get_relation(
        relation.database, relation.schema, relation.identifier
    ) -%}
    {%- if found is none -%}
        {%- do exceptions.raise_compiler_error(
            'wanted table ' ~ relation ~ '; found none; ' ~ next_step
        ) -%}
    {%- endif -%}
    {{ return(found) }}
{% endmacro %}

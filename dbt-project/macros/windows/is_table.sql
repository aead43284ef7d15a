{% macro is_table(relation) %}
    {%- set found = adapter.get_relation(
        relation.database, relation.schema, relation.identifier
    ) -%}
    {{ return(found is not none and found.type == 'table') }}
{% endmacro %}

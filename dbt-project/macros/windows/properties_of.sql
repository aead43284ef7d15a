{% macro properties_of(relation) %}
    {{ return(api.Relation.create(
        database=relation.database,
        schema=relation.schema,
        identifier=relation.identifier ~ '$properties'
    )) }}
{% endmacro %}

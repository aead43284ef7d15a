{% macro require_relation(relation, next_step) %}
    {%- set cached = adapter.get_relation(
        relation.database, relation.schema, relation.identifier
    ) -%}
    {#- dbt enters a source's schema into its cache table by table: another model sees a part. -#}
    {%- if cached is none and relation.identifier
        not in list_relations_without_caching(relation).columns['name'].values() -%}
        {%- do exceptions.raise_compiler_error(
            'wanted table ' ~ relation ~ '; found none; ' ~ next_step
        ) -%}
    {%- endif -%}
{% endmacro %}

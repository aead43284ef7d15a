{% macro require_relation(relation, next_step) %}
    {%- set cached = adapter.get_relation(
        relation.database, relation.schema, relation.identifier
    ) -%}
    {%- if cached is not none -%}{{ return('') }}{%- endif -%}
    {#- dbt enters a source's schema into its cache table by table: another model sees a part. -#}
    {%- set names = [] -%}
    {%- for row in list_relations_without_caching(relation) -%}
        {%- do names.append(row[1]) -%}
    {%- endfor -%}
    {%- if relation.identifier not in names -%}
        {%- do exceptions.raise_compiler_error(
            'wanted table ' ~ relation ~ '; found none; ' ~ next_step
        ) -%}
    {%- endif -%}
{% endmacro %}

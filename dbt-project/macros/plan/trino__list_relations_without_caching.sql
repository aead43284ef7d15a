{% macro trino__list_relations_without_caching(relation) %}
    {%- set planned = planned_relations(relation.database, relation.schema) -%}
    {%- if planned is not none -%}{{ return(planned) }}{%- endif -%}
    {#- The adapter's own also joins the list of materialized views, of which there are none here:
        twice the planning, for each schema in each run. -#}
    {%- call statement('list_relations_without_caching', fetch_result=True) -%}
        select
            table_catalog as database,
            table_name as name,
            table_schema as schema,
            if(table_type = 'BASE TABLE', 'table', lower(table_type)) as table_type
        from {{ relation.information_schema() }}.tables
        where table_schema = '{{ relation.schema | lower }}'
    {%- endcall -%}
    {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}

{% macro view_definition(relation) %}
    {%- set query -%}
        select view_definition
        from {{ relation.database }}.information_schema.views
        where
            table_schema = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set rows = run_query(query) -%}
    {{ return(rows[0]['view_definition'] if rows | length else '') }}
{% endmacro %}

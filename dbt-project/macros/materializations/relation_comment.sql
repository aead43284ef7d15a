{% macro relation_comment(relation) %}
    {%- set query -%}
        select comment
        from system.metadata.table_comments
        where
            catalog_name = '{{ relation.database }}'
            and schema_name = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set rows = run_query(query) -%}
    {{ return((rows[0]['comment'] or '') | trim if rows | length else '') }}
{% endmacro %}

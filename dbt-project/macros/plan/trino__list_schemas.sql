{% macro trino__list_schemas(database) %}
    {%- set plan = round_plan() -%}
    {#- dbt hands the name over in quotes. -#}
    {%- if database | replace('"', '') == plan.get('database') -%}
        {%- set found = [] -%}
        {%- for schema in plan.relations -%}{%- do found.append([schema]) -%}{%- endfor -%}
        {{ return(found) }}
    {%- endif -%}
    {%- call statement('list_schemas', fetch_result=True, auto_begin=False) -%}
        select schema_name
        from {{ information_schema_name(database) }}.schemata
    {%- endcall -%}
    {{ return(load_result('list_schemas').table) }}
{% endmacro %}

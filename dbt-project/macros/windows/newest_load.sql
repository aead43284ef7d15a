{% macro newest_load(relation, after) %}
    {%- set query -%}
        select max(load_id) as load_id
        from {{ relation }}
        where load_id > {{ after }}
    {%- endset -%}
    {%- set newest = run_query(query)[0]['load_id'] -%}
    {{ return(newest if newest is none else newest | int) }}
{% endmacro %}

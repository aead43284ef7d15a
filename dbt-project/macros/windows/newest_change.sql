{% macro newest_change() %}
    {#- As number:token, by which a change is told from one of another history. -#}
    {%- if round_plan().get('period_change') -%}{{ return(round_plan().period_change) }}{%- endif -%}
    {%- set query -%}
        select max_by(concat(cast(change_id as varchar), ':', cast(token as varchar)), change_id)
            as newest
        from {{ period_changes() }}
    {%- endset -%}
    {{ return(run_query(query)[0]['newest']) }}
{% endmacro %}

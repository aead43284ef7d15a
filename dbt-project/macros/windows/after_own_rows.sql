{% macro after_own_rows(window) %}
    {#- Rows may be committed and their progress not, if the run died between the two. -#}
    {%- if window.is_empty or not window.after.get('batch_id') -%}
        {{ return(window) }}
    {%- endif -%}
    {%- set query -%}
        select max(batch_id) as batch_id
        from {{ this }}
        where landed_at >= {{ utc_literal(window.after.landed_at) }}
    {%- endset -%}
    {%- set newest = run_query(query)[0]['batch_id'] -%}
    {%- if newest is not none and newest > window.after.batch_id -%}
        {%- set after = dict(window.after, batch_id=newest | int) -%}
        {{ return(dict(window, after=after)) }}
    {%- endif -%}
    {{ return(window) }}
{% endmacro %}

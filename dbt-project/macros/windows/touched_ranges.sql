{% macro touched_ranges(relation, column, window) %}
    {#- None means everything: a rebuild reads all. -#}
    {%- if window.rebuild or window.is_unbounded -%}
        {{ return(none) }}
    {%- elif window.is_empty -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set told = told_ranges(relation, column, window) -%}
    {%- if told is not none -%}{{ return(told) }}{%- endif -%}
    {%- set query -%}
        select
            date_trunc('day', {{ column }}) as touched_day,
            min({{ column }}) as low,
            max({{ column }}) as high
        from {{ relation }}
        where {{ in_window(window, relation) }}
        group by 1
        order by 1
    {%- endset -%}
    {{ return(day_ranges(run_query(query) | list)) }}
{% endmacro %}

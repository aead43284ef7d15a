{% macro touched_ranges(relation, column, window) %}
    {#- None means everything: a rebuild reads all. -#}
    {%- if window.rebuild or window.is_unbounded -%}
        {{ return(none) }}
    {%- elif window.is_empty -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set query -%}
        select
            date_trunc('day', {{ column }}) as touched_day,
            min({{ column }}) as low,
            max({{ column }}) as high
        from {{ relation }}
        where {{ in_window(window) }}
        group by 1
        order by 1
    {%- endset -%}
    {%- set days = run_query(query) | list -%}
    {#- A predicate of thousands of days costs more than it prunes: then whole months. -#}
    {%- set period = '%Y-%m-%d' if days | length <= 62 else '%Y-%m' -%}
    {%- set ranges = {} -%}
    {%- for day in days -%}
        {%- set name = day['touched_day'].strftime(period) -%}
        {%- set first = ranges.get(name, [day['low']])[0] -%}
        {%- do ranges.update({name: [first, day['high']]}) -%}
    {%- endfor -%}
    {{ return(ranges.values() | list) }}
{% endmacro %}

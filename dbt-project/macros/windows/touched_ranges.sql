{% macro touched_ranges(relation, column, window, each_of=none, length_s=none) %}
    {%- if length_s and window.rebuild and not window.is_unbounded -%}
        {%- do note_longest(window, run_query(
            'select max(' ~ length_s ~ ') as longest_s from ' ~ relation
        )) -%}
    {%- endif -%}
    {#- None means everything: a rebuild reads all. -#}
    {%- if window.rebuild or window.is_unbounded -%}
        {{ return(none) }}
    {%- elif window.is_empty -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set told = told_ranges(relation, column, window) -%}
    {%- if told is not none -%}{{ return(with_changed(window, told, column)) }}{%- endif -%}
    {%- set touched = 'each_touched' if each_of else column -%}
    {%- set query -%}
        select
            date_trunc('day', {{ touched }}) as touched_day,
            min({{ touched }}) as low,
            max({{ touched }}) as high
            {{- ', max(' ~ length_s ~ ') as longest_s' if length_s }}
        from {{ relation }}
        {{ 'cross join unnest(' ~ each_of ~ ') as lists (each_touched)' if each_of }}
        where {{ in_window(window, relation) }}
        group by 1
        order by 1
    {%- endset -%}
    {%- set days = run_query(query) | list -%}
    {%- if length_s -%}{%- do note_longest(window, days) -%}{%- endif -%}
    {{ return(with_changed(window, day_ranges(days), column)) }}
{% endmacro %}

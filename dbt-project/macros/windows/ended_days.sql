{% macro ended_days(relation, window) %}
    {#- Days told of starts hold those of the ends too, in whatever zone. -#}
    {%- if not (window.rebuild or window.is_unbounded or window.is_empty) -%}
        {%- set told = told_ranges(relation, 'reading_date', window) -%}
        {%- if told is not none -%}{{ return(told) }}{%- endif -%}
    {%- endif -%}
    {%- set ranges = touched_ranges(relation, 'reading_at', window) -%}
    {%- if ranges is none -%}{{ return(none) }}{%- endif -%}
    {%- set moment = modules.datetime.timedelta(microseconds=1) -%}
    {%- set days = [] -%}
    {%- for low, high in ranges -%}
        {%- do days.append([(low - moment).date(), (high - moment).date()]) -%}
    {%- endfor -%}
    {{ return(days) }}
{% endmacro %}

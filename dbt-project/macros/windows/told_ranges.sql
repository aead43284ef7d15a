{% macro told_ranges(relation, column, window) %}
    {#- Of one load, and of days of one column: what else an upstream touched, nobody wrote down. -#}
    {%- set name = input_name(relation) -%}
    {%- set told = window.found[name].get('touched') -%}
    {%- if not told or told.after != window.after[name].load_id or column[-5:] != '_date'
        or told.get('column') != column -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set ranges = [] -%}
    {%- for low, high in told.days -%}
        {%- do ranges.append([
            modules.datetime.date.fromisoformat(low), modules.datetime.date.fromisoformat(high)
        ]) -%}
    {%- endfor -%}
    {{ return(ranges) }}
{% endmacro %}

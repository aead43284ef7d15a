{% macro told_ranges(relation, column, window) %}
    {#- Of one load, and of days of one column: what else an upstream touched, nobody wrote down. Days
        around reading_at hold reading_date. -#}
    {%- set name = input_name(relation) -%}
    {%- set told = window.found[name].get('touched') -%}
    {%- set columns = {'reading_at': 'reading_date'} -%}
    {%- set recorded = (told or {}).get('column') -%}
    {%- if not told or told.after != window.after[name].load_id or column[-5:] != '_date'
        or columns.get(recorded, recorded) != column -%}
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

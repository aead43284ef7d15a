{% macro day_ranges(days) %}
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

{% macro touched_days(ranges, longest_s=0) %}
    {#- A day begins up to 14 hours before that of UTC and up to 12 after it; a reading is of the day
        that it starts on. -#}
    {%- set day = modules.datetime.timedelta(days=1) -%}
    {%- set west = modules.datetime.timedelta(hours=12, seconds=longest_s, microseconds=1) -%}
    {%- set east = modules.datetime.timedelta(hours=14) -%}
    {%- set spans = [] -%}
    {%- for low, high in ranges -%}
        {%- set first = (low - west).date() if low.hour is defined else low -%}
        {%- set last = (high + east).date() if high.hour is defined else high -%}
        {%- set before = spans[-1] if spans else none -%}
        {%- if before and first <= before[1] + day -%}
            {%- do before.insert(1, [before.pop(), last] | max) -%}
        {%- else -%}
            {%- do spans.append([first, last]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(spans) }}
{% endmacro %}

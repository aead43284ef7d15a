{% macro touched_days(ranges) %}
    {#- The local day of a moment is the day before, of or after its day in UTC. -#}
    {%- set day = modules.datetime.timedelta(days=1) -%}
    {%- set spans = [] -%}
    {%- for low, high in ranges -%}
        {%- set first = (low - day).date() if low.hour is defined else low -%}
        {%- set last = (high + day).date() if high.hour is defined else high -%}
        {%- set before = spans[-1] if spans else none -%}
        {%- if before and first <= before[1] + day -%}
            {%- do before.insert(1, [before.pop(), last] | max) -%}
        {%- else -%}
            {%- do spans.append([first, last]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(spans) }}
{% endmacro %}

{% macro with_changed(window, ranges, column) %}
    {#- What begins at a change has no end. A reading's day is at most two from that of its end. -#}
    {%- if ranges is none or not window.get('changed') -%}{{ return(ranges) }}{%- endif -%}
    {%- set first, last = window.changed.from_at, modules.datetime.datetime(
        9999, 1, 1, tzinfo=modules.pytz.utc
    ) -%}
    {%- if column[-5:] == '_date' -%}
        {%- set first = first.date() - modules.datetime.timedelta(days=2) -%}
        {%- set last = last.date() -%}
    {%- endif -%}
    {%- set before = [] -%}
    {%- for low, high in ranges if low < first -%}
        {%- do before.append([low, [high, first] | min]) -%}
    {%- endfor -%}
    {{ return(before + [[first, last]]) }}
{% endmacro %}

{% macro slot_ranges(ranges, relation, window) %}
    {#- A reading can change what counts of those that share time with it, and of those that share time
        with these; to know that, the ones around them are read. -#}
    {%- if ranges is none -%}{{ return(none) }}{%- endif -%}
    {%- set longest_s = window.get('found', {}).get(input_name(relation), {}).get('longest_s', 3600) -%}
    {%- set around = modules.datetime.timedelta(days=(5 * longest_s / 86400) | round(0, 'ceil') | int) -%}
    {%- set spans = [] -%}
    {%- for low, high in ranges -%}{%- do spans.append([low - around, high + around]) -%}{%- endfor -%}
    {{ return(spans) }}
{% endmacro %}

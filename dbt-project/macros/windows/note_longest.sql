{% macro note_longest(window, rows) %}
    {#- Master data knows no interval above an hour, which holds where a reading says none. -#}
    {%- set found = [window.get('previous', {}).get('longest_s', 3600)] -%}
    {%- for row in rows if row['longest_s'] is not none -%}
        {%- do found.append(row['longest_s'] | float) -%}
    {%- endfor -%}
    {%- do window.progress.update({'longest_s': found | max}) -%}
{% endmacro %}

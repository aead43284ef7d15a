{% macro offsets_landed(window) %}
    {#- Offsets without a message count too, so it is never less than the messages. A partition's
        leader epoch changes where its log was cut: then offsets tell nothing of how many came. -#}
    {%- set before = window.get('previous', {}).get('landed', {}) -%}
    {%- set now = window.progress.get('landed', {}) -%}
    {%- if not before or window.replays -%}{{ return(none) }}{%- endif -%}
    {%- for known in ['topic_id', 'epochs'] if before[known] != now[known] -%}
        {{ return(none) }}
    {%- endfor -%}
    {{ return(now.ends.values() | sum - before.ends.values() | sum) }}
{% endmacro %}

{% macro all_accepted(window, upstream) %}
    {%- if window.is_unbounded or window.rebuild or window.replays -%}{{ return(false) }}{%- endif -%}
    {%- set name = input_name(upstream) -%}
    {%- set whole_since = window.found[name].get('whole_since') -%}
    {{ return(whole_since is not none and whole_since == window.after[name].load_id) }}
{% endmacro %}

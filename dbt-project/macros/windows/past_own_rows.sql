{% macro past_own_rows(window) %}
    {#- Rows may be committed and their progress not, if the run died between the two. -#}
    {%- if window.is_empty or not window.previous -%}{{ return(window) }}{%- endif -%}
    {%- set newest = newest_load(this, window.previous.load_id) -%}
    {%- if newest is none -%}{{ return(window) }}{%- endif -%}
    {{ return(dict(
        window,
        own_load_id=newest,
        load_id=newest + 1,
        progress=dict(window.progress, load_id=newest + 1)
    )) }}
{% endmacro %}

{% macro not_there_yet(window, key, column) -%}
    {#- A run that died between its rows and its progress has added some already. -#}
    {%- if not window.previous -%}{{ return('true') }}{%- endif -%}
    {{ key }} not in (
        select {{ column }}
        from {{ this }}
        where load_id > {{ window.previous.load_id }}
    )
{%- endmacro %}

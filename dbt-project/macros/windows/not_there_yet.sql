{% macro not_there_yet(window, key) -%}
    {#- A run that died between its rows and its progress has added some already. -#}
    {%- if not window.replays -%}{{ return('true') }}{%- endif -%}
    {{ key }} not in (
        select telemetry_key
        from {{ this }}
        where telemetry_key in ({{ replays_of(window) }})
    )
{%- endmacro %}

{% macro is_replayed(window, ledger, key) -%}
    {%- if not window.replays -%}{{ return('false') }}{%- endif -%}
    {%- set listed -%}
        select telemetry_key
        from {{ ledger }}
        where replay_number between {{ window.replays[0] }} and {{ window.replays[1] }}
    {%- endset -%}
    {#- What was listed by a replay that ended early, or by an older one, can be there by now. -#}
    (
        {{ key }} in ({{ listed }})
        and {{ key }} not in (
            select telemetry_key
            from {{ this }}
            where telemetry_key in ({{ listed }})
        )
    )
{%- endmacro %}

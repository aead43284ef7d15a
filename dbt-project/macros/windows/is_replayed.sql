{% macro is_replayed(window, ledger, key) -%}
    {%- if not window.replays -%}{{ return('false') }}{%- endif -%}
    {{ key }} in (
        select telemetry_key
        from {{ ledger }}
        where replay_number between {{ window.replays[0] }} and {{ window.replays[1] }}
    )
{%- endmacro %}

{% macro replays_of(window, column='telemetry_key') -%}
    select {{ column }}
    from {{ window.ledger }}
    where replay_number between {{ window.replays[0] }} and {{ window.replays[1] }}
{%- endmacro %}

{% macro came_back(window, staging) -%}
    {%- if not window.replays -%}{{ return('') }}{%- endif -%}
    telemetry_key in ({{ replays_of(window) }})
    and telemetry_key in (
        select telemetry_key
        from {{ staging }}
        where {{ in_ranges('landed_at', replay_ranges(window, 'landed_at')) }}
    )
{%- endmacro %}

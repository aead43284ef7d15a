{% macro came_back(window, staging) -%}
    {%- if not window.replays -%}{{ return('') }}{%- endif -%}
    telemetry_key in (
        select telemetry_key
        from {{ staging }}
        where {{ in_window(window) }}
    )
{%- endmacro %}

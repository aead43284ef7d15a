{% macro in_window_or_replayed(window, key, time_column, value=none) -%}
    {%- if not window.replays -%}
        {{ return(in_window(window)) }}
    {%- endif -%}
    (
        {{ in_window(window) }}
        or (
            {{ in_ranges(time_column, replay_ranges(window, time_column)) }}
            and {{ value or key }} in ({{ replays_of(window, key) }})
        )
    )
{%- endmacro %}

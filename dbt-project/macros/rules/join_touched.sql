{% macro join_touched(window, rows, touched, keys) -%}
    {%- if not window.rebuild -%}
    inner join {{ touched }}
        on
            {%- for key in keys %}
            {{ rows }}.{{ key }} = {{ touched }}.{{ key }}{{ ' and' if not loop.last }}
            {%- endfor %}
    {%- endif -%}
{%- endmacro %}

{% macro join_touched(window, rows, touched, keys, kind='inner') -%}
    {%- if not window.rebuild -%}
    {{ kind }} join {{ touched }}
        on
            {%- for key in keys %}
            {{ rows }}.{{ key }} = {{ touched }}.{{ key }}{{ ' and' if not loop.last }}
            {%- endfor %}
    {%- endif -%}
{%- endmacro %}

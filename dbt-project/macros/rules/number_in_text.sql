{% macro number_in_text(text, patterns, type) -%}
    coalesce(
        {%- for pattern in patterns %}
        try_cast(regexp_extract({{ text }}, '(?i){{ pattern }}', 1) as {{ type }})
        {{- ',' if not loop.last }}
        {%- endfor %},
        null
    )
{%- endmacro %}

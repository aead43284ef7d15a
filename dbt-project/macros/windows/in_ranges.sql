{% macro in_ranges(column, ranges) -%}
    {%- if ranges is none -%}
        {{ return('true') }}
    {%- elif not ranges -%}
        {{ return('false') }}
    {%- endif -%}
    {%- set spans = [] -%}
    {%- for low, high in ranges -%}
        {%- do spans.append(
            column ~ ' between ' ~ time_literal(low) ~ ' and ' ~ time_literal(high)
        ) -%}
    {%- endfor -%}
    {{ return('(' ~ spans | join(' or ') ~ ')') }}
{%- endmacro %}

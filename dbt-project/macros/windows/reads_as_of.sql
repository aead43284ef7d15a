{% macro reads_as_of() -%}
    {%- if model.resource_type == 'unit_test' -%}
        {{ return(utc_literal(var('as_of') or '2026-01-08T00:00:00Z')) }}
    {%- endif -%}
    {{ return(counted_through(ref('int_interval_reads'), 'landed_at')) }}
{%- endmacro %}

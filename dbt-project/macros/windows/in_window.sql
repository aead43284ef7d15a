{% macro in_window(window) -%}
    {%- set bounds = [] -%}
    {%- if window.after.get('batch_id') is not none -%}
        {%- do bounds.append('batch_id > ' ~ window.after.batch_id) -%}
    {%- endif -%}
    {%- if window.after.get('landed_at') is not none -%}
        {%- do bounds.append('landed_at >= ' ~ utc_literal(window.after.landed_at)) -%}
    {%- endif -%}
    {%- if window.through.get('batch_id') is not none -%}
        {%- do bounds.append('batch_id <= ' ~ window.through.batch_id) -%}
        {%- do bounds.append('landed_at <= ' ~ utc_literal(window.through.landed_at)) -%}
    {%- elif not window.is_unbounded -%}
        {{ return('false') }}
    {%- endif -%}
    {{ return(('(' ~ bounds | join(' and ') ~ ')') if bounds else 'true') }}
{%- endmacro %}

{% macro in_batches(window, upstream=none) -%}
    {%- if window.is_unbounded -%}{{ return('true') }}{%- endif -%}
    {%- set name = input_name(upstream) if upstream else window.through.keys() | first -%}
    {%- set after = window.after.get(name, {}) -%}
    {%- set through = window.through[name] -%}
    {%- if through.get('batch_id') is none -%}{{ return('false') }}{%- endif -%}
    {%- set bounds = [
        'batch_id <= ' ~ through.batch_id,
        'landed_at <= ' ~ utc_literal(through.landed_at),
    ] -%}
    {%- if after.get('batch_id') is not none -%}
        {%- do bounds.append('batch_id > ' ~ after.batch_id) -%}
        {%- do bounds.append('landed_at >= ' ~ utc_literal(after.landed_at)) -%}
    {%- endif -%}
    {{ return('(' ~ bounds | join(' and ') ~ ')') }}
{%- endmacro %}

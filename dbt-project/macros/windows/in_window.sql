{% macro in_window(window, upstream=none) -%}
    {%- if window.is_unbounded -%}
        {{ return('true' if window.rebuild else 'load_id > ' ~ window.after_load) }}
    {%- endif -%}
    {%- set name = input_name(upstream) if upstream else window.through.keys() | first -%}
    {%- set after = window.after.get(name, {}) -%}
    {%- set through = window.through[name] -%}
    {%- if 'load_id' not in through -%}
        {{ return(in_batches(window, upstream)) }}
    {%- endif -%}
    {%- set bounds = ['load_id <= ' ~ through.load_id] -%}
    {%- if 'load_id' in after -%}{%- do bounds.append('load_id > ' ~ after.load_id) -%}{%- endif -%}
    {{ return('(' ~ bounds | join(' and ') ~ ')') }}
{%- endmacro %}

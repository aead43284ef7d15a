{% macro measured_values(message='', suffix='') -%}
    {#- Another of these values is a correction, the same ones are a duplicate. -#}
    {%- set columns = [
        'energy_kwh', 'voltage', 'battery_pct', 'register_kwh', 'export_kwh',
        'register_export_kwh', 'interval_s', 'status', 'quality_rank',
    ] -%}
    {%- set prefix = message ~ '.' if message else '' -%}
    row({{ prefix }}{{ columns | join(suffix ~ ', ' ~ prefix) }}{{ suffix }})
{%- endmacro %}

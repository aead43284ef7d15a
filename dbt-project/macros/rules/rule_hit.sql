{% macro rule_hit(
    row, measured, limit_value, cause='rules.rule_name', severity='rules.severity',
    channel="'IMPORT'"
) -%}
{{ row }}.device_id,
        {{ channel }} as channel,
        rules.rule_code,
        rules.rule_name,
        {{ severity }} as severity,
        {{ cause }} as cause,
        cast({{ measured }} as decimal(18, 6)) as measured,
        cast({{ limit_value }} as decimal(18, 6)) as limit_value,
        {{ row }}.local_date,
        {{ row }}.from_at,
        {{ row }}.to_at
{%- endmacro %}

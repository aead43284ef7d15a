{% macro rule_in_force(rule_codes, row) -%}
    rules.rule_code in ('{{ rule_codes | join("', '") }}')
    and rules.customer_class = {{ row }}.customer_class
    and {{ row }}.local_date >= rules.valid_from
    and ({{ row }}.local_date < rules.valid_to or rules.valid_to is null)
{%- endmacro %}

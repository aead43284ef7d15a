{% macro unbounded_window() %}
    {#- For parsing and unit tests, where no table is there to ask. -#}
    {%- set after = var('unit_test_after_load', none) -%}
    {{ return({
        'rebuild': after is none,
        'is_unbounded': true,
        'is_empty': false,
        'after_load': after,
        'load_id': (after or 0) + 1,
        'progress': {},
    }) }}
{% endmacro %}

{% macro unbounded_window() %}
    {#- For parsing and unit tests, where no table is there to ask. -#}
    {%- set after = var('unit_test_after_batch', none) -%}
    {{ return({
        'rebuild': after is none,
        'is_unbounded': true,
        'is_empty': false,
        'after': {} if after is none else {'batch_id': after},
        'through': {},
        'progress': {},
    }) }}
{% endmacro %}

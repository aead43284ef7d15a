{% macro replay_request() %}
    {%- set request = var('replay') -%}
    {%- if not execute or model.resource_type == 'unit_test' -%}
        {{ return(dict(unbounded_window(), is_empty=not request, number=1)) }}
    {%- endif -%}
    {%- set number = last_replay(this) + 1 -%}
    {{ return({
        'rebuild': false,
        'is_empty': not request,
        'after': {},
        'number': number,
        'progress': {'replay': number if request else number - 1},
    }) }}
{% endmacro %}

{% macro next_load_id(previous) %}
    {#- Milliseconds: no two runs take the same number, whatever either has recorded. -#}
    {%- set now = modules.datetime.datetime.now(modules.pytz.utc).timestamp() -%}
    {{ return([previous.get('load_id', 0) + 1, (now * 1000) | int] | max) }}
{% endmacro %}

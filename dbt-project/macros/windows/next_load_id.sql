{% macro next_load_id(previous) %}
    {#- PostgreSQL numbers the commands that write, so that a clock set back meets no rows of a run
        that died. Where it was not asked (compile, a stack older than its function): the clock. -#}
    {%- set now = modules.datetime.datetime.now(modules.pytz.utc).timestamp() -%}
    {%- set given = env_var('NEXT_LOAD', '') or (now * 1000) -%}
    {{ return([previous.get('load_id', 0) + 1, given | int] | max) }}
{% endmacro %}

{% macro last_replay(ledger) %}
    {%- if adapter.get_relation(ledger.database, ledger.schema, ledger.identifier) is none -%}
        {{ return(0) }}
    {%- endif -%}
    {%- set newest = run_query('select max(replay_number) as number from ' ~ ledger) -%}
    {{ return((newest[0]['number'] or 0) | int) }}
{% endmacro %}

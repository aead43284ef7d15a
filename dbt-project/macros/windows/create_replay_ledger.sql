{% macro create_replay_ledger() %}
    {#- With --empty a source is a query. -#}
    {%- set ledger = source('replays', 'replayed_telemetry_raw') -%}
    create table if not exists
    {{ api.Relation.create(ledger.database, ledger.schema, ledger.identifier) }} (
        telemetry_key varchar,
        device_id varchar,
        reason varchar,
        replay_number integer,
        reading_at timestamp(6) with time zone,
        landed_at timestamp(6) with time zone,
        replayed_at timestamp(6) with time zone
    )
{% endmacro %}

{% macro create_replay_ledger() %}
    create table if not exists {{ source('replays', 'replayed_telemetry_raw') }} (
        telemetry_key varchar,
        device_id varchar,
        reason varchar,
        replay_number integer,
        reading_at timestamp(6) with time zone,
        landed_at timestamp(6) with time zone,
        replayed_at timestamp(6) with time zone
    )
{% endmacro %}

{{ config(
    materialized='by_batch',
    incremental_strategy='append',
    full_refresh=false,
) }}
{%- set window = replay_request() %}

{{ run_note(window) }}
{%- if window.is_empty %}
with replayed_telemetry_raw as (
    select
        cast(null as varchar) as telemetry_key,
        cast(null as varchar) as device_id,
        cast(null as varchar) as reason,
        cast(null as integer) as replay_number,
        cast(null as timestamp(6) with time zone) as reading_at,
        cast(null as timestamp(6) with time zone) as landed_at,
        cast(null as timestamp(6) with time zone) as replayed_at
    where false
)
{%- else %}
with quarantined as (
    -- Quarantine follows staging and staging follows this model: what is read here is
    -- the quarantine that the last round left, which no reference can say.
    select * from {{ relation_of_model('quarantine_telemetry_raw') }}
    where {{ replay_choice() }}
),

messages as (
    select * from {{ source('landing', 'telemetry_raw') }}
),

devices as (
    select * from {{ ref('stg_devices') }}
),

replayed_telemetry_raw as (
    select
        quarantined.telemetry_key,
        quarantined.device_id,
        quarantined.reason,
        cast({{ window.number or 1 }} as integer) as replay_number,
        quarantined.reading_at,
        quarantined.landed_at,
        {{ loaded_now() }} as replayed_at
    from quarantined
    inner join messages
        on
            quarantined.kafka_topic_id = messages.kafka_topic_id
            and quarantined.kafka_partition = messages.kafka_partition
            and quarantined.kafka_offset = messages.kafka_offset
            and quarantined.landed_at = messages.landed_at
    left join devices on messages.device_id = devices.device_id
    where {{ rejection_reason('messages', 'devices') }} is null
)
{%- endif %}

select * from replayed_telemetry_raw

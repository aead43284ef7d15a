{{ config(materialized='view') }}

with quarantined as (
    select * from {{ ref('quarantine_telemetry_raw') }}
),

messages as (
    select * from {{ source('landing', 'telemetry_raw') }}
),

accepted as (
    -- A replay that ended before quarantine followed may have brought some back.
    select telemetry_key from {{ ref('stg_telemetry_raw') }}
),

devices as (
    select * from {{ ref('stg_devices') }}
),

replayable_telemetry_raw as (
    select
        quarantined.telemetry_key,
        quarantined.device_id,
        quarantined.reason,
        quarantined.reading_at,
        quarantined.kafka_at,
        quarantined.landed_at
    from quarantined
    inner join messages
        on
            quarantined.kafka_topic_id = messages.kafka_topic_id
            and quarantined.kafka_partition = messages.kafka_partition
            and quarantined.kafka_offset = messages.kafka_offset
            and quarantined.landed_at = messages.landed_at
    left join accepted on quarantined.telemetry_key = accepted.telemetry_key
    left join devices on messages.device_id = devices.device_id
    where
        accepted.telemetry_key is null
        and {{ rejection_reason('messages', 'devices') }} is null
)

select * from replayable_telemetry_raw

{{ config(materialized='view') }}

with messages as (
    select * from {{ ref('stg_telemetry_raw') }}
    where field_flags is not null
),

flagged_fields as (
    select
        messages.telemetry_key,
        messages.device_id,
        split_part(flags.flag, ':', 1) as field,
        split_part(flags.flag, ':', 2) as reason,
        messages.kafka_topic_id,
        messages.kafka_partition,
        messages.kafka_offset,
        messages.reading_at,
        messages.kafka_at,
        messages.landed_at
    from messages
    cross join unnest(split(messages.field_flags, ', ')) as flags (flag)
)

select * from flagged_fields

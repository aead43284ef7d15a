{{ config(
    materialized='by_batch',
    incremental_strategy='append',
    properties={"partitioning": "array['month(landed_at)']"},
) }}
{%- set window = processing_window(ref('stg_telemetry_raw')) %}
{%- set returned = came_back(window, ref('stg_telemetry_raw')) %}
{%- set has_none = all_accepted(window, ref('stg_telemetry_raw')) %}

{{ run_note(window, remove=returned, has_no_rows=has_none) }}
with messages as (
    select * from {{ source('landing', 'telemetry_raw') }}
    where
        {{ in_batches(window) }}
        and {{ not_there_yet(window, kafka_key(), 'telemetry_key') }}
),

accepted as (
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset
    from {{ ref('stg_telemetry_raw') }}
    where {{ in_batches(window) }}
),

devices as (
    select * from {{ ref('stg_devices') }}
),

quarantine_telemetry_raw as (
    -- What staging does not hold is here, whatever the rules say by now: nothing can
    -- fall between the two.
    select
        {{ kafka_key('messages') }} as telemetry_key,
        messages.kafka_topic_id,
        messages.message_key,
        messages.message,
        messages.message_encoding,
        messages.device_id,
        messages.customer_id,
        coalesce(
            {{ rejection_reason('messages', 'devices') }}, 'master_data_changed'
        ) as reason,
        messages.kafka_partition,
        messages.kafka_offset,
        messages.batch_id,
        {{ load_id(window) }} as load_id,
        messages.reading_at,
        messages.kafka_at,
        messages.landed_at,
        {{ loaded_now() }} as loaded_at
    from messages
    left join accepted
        on
            messages.kafka_topic_id = accepted.kafka_topic_id
            and messages.kafka_partition = accepted.kafka_partition
            and messages.kafka_offset = accepted.kafka_offset
    left join devices on messages.device_id = devices.device_id
    where accepted.kafka_offset is null
)

select * from quarantine_telemetry_raw

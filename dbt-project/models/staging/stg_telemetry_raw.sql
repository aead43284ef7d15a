{{ config(
    materialized='by_batch',
    incremental_strategy='append',
    properties={"partitioning": "array['month(landed_at)', 'month(reading_at)']"},
) }}
{%- set landing = source('landing', 'telemetry_raw') %}
{%- set replayed = source('replays', 'replayed_telemetry_raw') %}
{%- set window = processing_window(landing, replayed) %}

{{ run_note(window, offsets=offsets_landed(window)) }}
with messages as (
    select * from {{ source('landing', 'telemetry_raw') }}
    where
        ({{ in_window(window) }} or {{ is_replayed(window, replayed, kafka_key()) }})
        and {{ not_there_yet(window, kafka_key(), 'telemetry_key') }}
),

devices as (
    select * from {{ ref('stg_devices') }}
),

judged as (
    select
        messages.*,
        devices.customer_id as master_customer_id,
        {{ rejection_reason('messages', 'devices') }} as reason
    from messages
    left join devices on messages.device_id = devices.device_id
),

stg_telemetry_raw as (
    select
        {{ kafka_key() }} as telemetry_key,
        device_id,
        customer_id,
        message_id,
        kafka_topic_id,
        upper(trim(status)) as status,
        try_cast(energy_kwh as decimal(18, 6)) as energy_kwh,
        try_cast(voltage as decimal(9, 3)) as voltage,
        try_cast(battery_pct as decimal(5, 2)) as battery_pct,
        try_cast(register_kwh as decimal(18, 6)) as register_kwh,
        try_cast(interval_s as decimal(12, 3)) as interval_s,
        try_cast(frequency_hz as decimal(7, 3)) as frequency_hz,
        customer_id is distinct from master_customer_id as is_customer_mismatch,
        reading_at < kafka_at - interval '{{ var("old_reading_days") }}' day as is_old,
        kafka_partition,
        kafka_offset,
        batch_id,
        {{ load_id(window) }} as load_id,
        cast(at_timezone(reading_at, 'UTC') as date) as reading_date,
        reading_at,
        kafka_at,
        landed_at,
        {{ loaded_now() }} as loaded_at
    from judged
    where reason is null
)

select * from stg_telemetry_raw

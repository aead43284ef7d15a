{{ config(
    materialized='by_batch',
    incremental_strategy='append',
    properties={"partitioning": "array['month(landed_at)', 'month(reading_at)']"},
    meta={'rule': 4},
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

stg_telemetry_raw as (
    {{ accepted_telemetry('messages', 'devices', load_id(window)) }}
)

select * from stg_telemetry_raw

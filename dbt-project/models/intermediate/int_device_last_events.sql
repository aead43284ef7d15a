{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['device_id', 'event_type'],
) }}
{%- set window = processing_window(ref('stg_meter_health_logs')) %}

{{ run_note(window) }}
with new_events as (
    select
        device_id,
        event_type,
        batch_id,
        landed_at,
        -- A meter whose clock is wrong must not keep a fault open or close a later one.
        case
            when
                logged_at between
                kafka_at - interval '{{ var("old_reading_days") }}' day
                and kafka_at + interval '{{ var("clock_ahead_minutes") }}' minute
                then logged_at
            else kafka_at
        end as event_at
    from {{ ref('stg_meter_health_logs') }}
    where
        {{ in_window(window) }}
        and device_id is not null
        and event_type is not null
),

candidates as (
    select
        device_id,
        event_type,
        batch_id,
        event_at,
        landed_at
    from new_events
    {%- if not window.rebuild %}
    union all
    select
        device_id,
        event_type,
        batch_id,
        last_event_at as event_at,
        landed_at
    from {{ this }}
    where device_id in (select new_events.device_id from new_events)
    {%- endif %}
),

int_device_last_events as (
    select
        device_id,
        event_type,
        max(batch_id) as batch_id,
        max(event_at) as last_event_at,
        max(landed_at) as landed_at
    from candidates
    group by device_id, event_type
)

select * from int_device_last_events

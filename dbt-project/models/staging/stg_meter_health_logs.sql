{{ config(
    materialized='by_batch',
    incremental_strategy='append',
    properties={"partitioning": "array['month(landed_at)']"},
) }}
{%- set window = processing_window(source('landing', 'meter_logs')) %}
{%- set number = '(-?[0-9]+(?:[.][0-9]+)?)' %}
{%- set day = '([0-9]{4}-[0-9]{2}-[0-9]{2})' %}
{%- set time = '([0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?)' %}
{%- set levels = 'CRITICAL|ERROR|WARN|INFO|DEBUG' %}

{{ run_note(window) }}
with log_lines as (
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset,
        kafka_at,
        message as raw_text,
        batch_id,
        landed_at,
        -- Bytes that are no text stand there encoded; nothing can be read out of them.
        case when parse_error is null then message end as message
    from {{ source('landing', 'meter_logs') }}
    where
        {{ in_window(window) }}
        and {{ not_there_yet(window, kafka_key(), 'log_key') }}
),

extracted as (
    select
        *,
        -- "replace battery" and REPLACE_BATTERY are one name.
        regexp_extract(
            upper(regexp_replace(message, '[\s_-]+', '_')),
            '(?:^|[^A-Z])({{ fault_log_events() | join("|") }})(?:[^A-Z]|$)',
            1
        ) as event_type,
        coalesce(
            case try_cast(regexp_extract(message, '^<([0-9]{1,3})>', 1) as integer) % 8
                when 0 then 'CRITICAL'
                when 1 then 'CRITICAL'
                when 2 then 'CRITICAL'
                when 3 then 'ERROR'
                when 4 then 'WARN'
                when 5 then 'INFO'
                when 6 then 'INFO'
                when 7 then 'DEBUG'
            end,
            -- A word of its own: status=WARN_POWER is no level.
            regexp_extract(
                message,
                '(?:^|level=|[^A-Za-z_=])({{ levels }})(?:ING)?(?:[^A-Za-z_]|$)',
                1
            )
        ) as log_level,
        {{ name_in_text('message', env_var('LOG_METER_PATTERN')) }} as device_id,
        {{ name_in_text('message', env_var('LOG_CUSTOMER_PATTERN')) }} as customer_id,
        regexp_extract(message, '(?:^|\W)status=([A-Za-z_]+)', 1) as status,
        regexp_extract(message, '{{ day }}[T ]{{ time }} ?(?:Z|UTC)', 1) as logged_day,
        regexp_extract(message, '{{ day }}[T ]{{ time }} ?(?:Z|UTC)', 2) as logged_time
    from log_lines
),

stg_meter_health_logs as (
    select
        {{ kafka_key() }} as log_key,
        device_id,
        customer_id,
        kafka_topic_id,
        log_level,
        event_type,
        upper(status) as status,
        case when event_type is null then 'UNPARSED' else 'PARSED' end as parse_status,
        raw_text,
        {{ number_in_text(
            'message', ['battery(?:_pct)?(?: at)?[= ]' ~ number], 'decimal(5, 2)'
        ) }} as battery_pct,
        {{ number_in_text(
            'message',
            ['voltage(?:_v)?[= ]' ~ number, number ~ ' ?V(?:olts)?\\b'],
            'decimal(9, 3)'
        ) }} as voltage,
        {{ number_in_text(
            'message',
            ['temp(?:erature)?(?:_c)?[= ]' ~ number, number ~ ' ?C\\b'],
            'decimal(5, 2)'
        ) }} as temperature_c,
        {{ number_in_text(
            'message', ['memory(?:_pct)?[= ]' ~ number], 'decimal(5, 2)'
        ) }} as memory_pct,
        {{ number_in_text(
            'message', ['uptime(?:_s)?[= ]' ~ number, '\\bup ' ~ number ~ ' ?s\\b'], 'bigint'
        ) }} as uptime_s,
        {{ number_in_text(
            'message', ['errors?(?:_count)?=' ~ number, number ~ ' errors?\\b'], 'bigint'
        ) }} as error_count,
        kafka_partition,
        kafka_offset,
        batch_id,
        {{ load_id(window) }} as load_id,
        try_cast(
            concat(logged_day, ' ', logged_time, ' UTC') as timestamp(6) with time zone
        ) as logged_at,
        kafka_at,
        landed_at,
        {{ loaded_now() }} as loaded_at
    from extracted
)

select * from stg_meter_health_logs

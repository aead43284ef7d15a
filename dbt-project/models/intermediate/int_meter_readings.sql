{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['device_id', 'reading_at'],
    properties={"partitioning": "array['month(reading_at)']"},
    meta={'rule': 4},
) }}
{%- set window = processing_window(ref('stg_telemetry_raw'), by_period=true) %}
{%- set touched = touched_ranges(
    ref('stg_telemetry_raw'), 'reading_at', window, length_s='interval_s'
) %}

{{ run_note(window, 'reading_at', touched, day_column='reading_date') }}
with telemetry as (
    select * from {{ ref('stg_telemetry_raw') }}
    where {{ in_ranges('reading_at', touched) }}
),

periods as (
    select * from {{ ref('stg_device_periods') }}
),

touched_readings as (
    select distinct
        device_id,
        reading_at
    from telemetry
    where {{ in_window(window) }}
    {%- if window.changed %}
    union distinct
    -- Whose master data changed: what ends later may have started then.
    select
        telemetry.device_id,
        telemetry.reading_at
    from telemetry
    inner join {{ changed_devices(window) }} as changed
        on
            telemetry.device_id = changed.device_id
            and telemetry.reading_at > changed.from_at
    {%- endif %}
),

touched_messages as (
    -- Every message of a touched reading, old ones too: the row is worked out again.
    select telemetry.*
    from telemetry
    {{ join_touched(
        window, 'telemetry', 'touched_readings', ['device_id', 'reading_at']
    ) }}
),

int_meter_readings as (
    {{ meter_readings_of('touched_messages', 'periods', load_id(window)) }}
)

select * from int_meter_readings

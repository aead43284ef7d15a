{{ config(materialized='view') }}

with devices as (
    -- Nothing is expected of an inactive meter, nor before one was installed.
    select
        devices.device_id,
        devices.customer_id,
        devices.time_zone,
        devices.interval_minutes,
        if(devices.is_active, installations.installed_at) as installed_at
    from {{ ref('stg_devices') }} as devices
    left join {{ ref('stg_installations') }} as installations
        on devices.device_id = installations.device_id
),

clock as (
    select {{ reads_as_of() }} as as_of
),

dates as (
    -- No reading is older, none of a later day: zones are up to 14 hours ahead of UTC.
    select
        days.local_date,
        clock.as_of
    from clock
    cross join unnest(sequence(
        cast(clock.as_of - interval '{{ var("oldest_reading_years") }}' year as date)
        - interval '1' day,
        cast(clock.as_of + interval '15' hour as date)
    )) as days (local_date)
),

int_expected_days as (
    {{ expected_days_of('devices', 'dates', 'dates.as_of') }}
)

select * from int_expected_days

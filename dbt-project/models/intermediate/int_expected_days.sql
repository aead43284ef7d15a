{{ config(materialized='view') }}

with periods as (
    select * from {{ ref('stg_device_periods') }}
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
    {{ expected_days_of('periods', 'dates', 'dates.as_of') }}
)

select * from int_expected_days

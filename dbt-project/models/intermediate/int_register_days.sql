{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['device_id', 'channel', 'register_date'],
    properties={"partitioning": "array['month(register_date)']"},
) }}
{%- set window = processing_window(ref('int_meter_readings')) %}
{%- set touched = ended_days(ref('int_meter_readings'), window) %}

{{ run_note(window, 'register_date', touched) }}
with readings as (
    -- The one place that says whose energy registers are compared with.
    select
        device_id,
        'IMPORT' as channel,
        register_kwh,
        energy_kwh,
        quality_rank < 5 as is_estimate,
        batch_id,
        load_id,
        -- A register read is of the UTC day that it ends: midnight is of the last one.
        cast(at_timezone(reading_at, 'UTC') as date) - case
            when reading_at = date_trunc('day', at_timezone(reading_at, 'UTC'))
                then interval '1' day
            else interval '0' day
        end as register_date,
        reading_at,
        if(register_kwh is not null, reading_at) as register_at,
        landed_at
    from {{ ref('int_meter_readings') }}
    where {{ in_ranges('reading_at', ends_of_days(touched)) }}
),

touched_days as (
    select distinct
        device_id,
        channel,
        register_date
    from readings
    where {{ in_window(window) }}
),

touched_readings as (
    select readings.*
    from readings
    {{ join_touched(
        window, 'readings', 'touched_days', ['device_id', 'channel', 'register_date']
    ) }}
),

readings_in_order as (
    select
        *,
        lag(if(register_kwh is not null, row(reading_at, register_kwh)))
            ignore nulls over in_order as register_before,
        min(register_at) over whole_day as first_register_at,
        max(register_at) over whole_day as last_register_at
    from touched_readings
    window
        in_order as (
            partition by device_id, channel, register_date order by reading_at
        ),
        whole_day as (
            in_order range between unbounded preceding and unbounded following
        )
),

int_register_days as (
    select
        device_id,
        channel,
        min_by(register_kwh, register_at) as first_register_kwh,
        max_by(register_kwh, register_at) as last_register_kwh,
        cast(sum(energy_kwh) as decimal(18, 6)) as energy_kwh,
        cast(
            sum(energy_kwh) filter (where reading_at <= first_register_at)
            as decimal(18, 6)
        ) as energy_to_first_kwh,
        cast(
            sum(energy_kwh) filter (where reading_at <= last_register_at)
            as decimal(18, 6)
        ) as energy_to_last_kwh,
        count_if(is_estimate) as estimate_count,
        count_if(is_estimate and reading_at <= first_register_at)
            as estimate_to_first_count,
        count_if(is_estimate and reading_at <= last_register_at)
            as estimate_to_last_count,
        array_agg(
            cast(
                row(register_before[1], register_before[2], reading_at, register_kwh)
                as row(
                    from_at timestamp(6) with time zone,
                    from_kwh decimal(18, 6),
                    to_at timestamp(6) with time zone,
                    to_kwh decimal(18, 6)
                )
            )
            order by reading_at
        ) filter (where register_kwh < register_before[2]) as falls,
        max(batch_id) as batch_id,
        {{ load_id(window) }} as load_id,
        register_date,
        min(register_at) as first_register_at,
        max(register_at) as last_register_at,
        max(landed_at) as landed_at
    from readings_in_order
    group by device_id, channel, register_date
)

select * from int_register_days

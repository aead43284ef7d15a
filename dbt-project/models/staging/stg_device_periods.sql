{{ config(materialized='view') }}

with periods as (
    select
        *,
        -- Trino knows fewer zones than PostgreSQL, and fails at one it does not.
        if(try(at_timezone(current_timestamp, time_zone)) is not null, time_zone)
            as known_zone
    from {{ source('master_data', 'device_period') }}
),

stg_device_periods as (
    select
        device_id,
        service_point_id,
        customer_id,
        transformer_id,
        -- A zone that nobody could use was put right later: that is the one meant.
        coalesce(
            known_zone,
            lead(known_zone) ignore nulls over (
                partition by device_id order by from_at
            ),
            'UTC'
        ) as time_zone,
        nominal_voltage_v,
        service_size_kw,
        meter_multiplier,
        register_modulus_kwh,
        register_decimals,
        initial_register_kwh,
        final_register_kwh,
        interval_minutes,
        is_removed,
        from_at,
        to_at,
        ends_from_at,
        ends_to_at,
        installed_at,
        removed_at
    from periods
)

select * from stg_device_periods

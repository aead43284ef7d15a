{{ config(materialized='view') }}

with meters as (
    select
        *,
        -- Trino knows fewer zones than PostgreSQL, and fails at one it does not.
        try(at_timezone(current_timestamp, time_zone)) is not null as is_time_zone_known
    from {{ source('master_data', 'known_device') }}
    -- PostgreSQL leaves out NaN, to it greater than all; Trino fails at reading it.
    where service_size_kw <= 999999.99
),

stg_devices as (
    select
        device_id,
        customer_id,
        transformer_id,
        manufacturer,
        model,
        firmware_version,
        if(is_time_zone_known, time_zone, 'UTC') as time_zone,
        meter_multiplier,
        nominal_voltage_v,
        service_size_kw,
        interval_minutes,
        register_digits,
        latitude,
        longitude,
        is_active,
        is_time_zone_known,
        installed_at,
        updated_at,
        known_until
    from meters
)

select * from stg_devices

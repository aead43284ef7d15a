{{ config(materialized='view') }}

with periods as (
    select * from {{ source('master_data', 'device_period') }}
),

devices as (
    select * from {{ ref('stg_devices') }}
),

stg_meter_installations as (
    -- What changes at the service point does not end an installation; after a removal
    -- reads are of it until the next one. The first one holds before it, too.
    select
        periods.device_id,
        any_value(periods.meter_multiplier) as meter_multiplier,
        cast(any_value(periods.register_modulus_kwh) as decimal(18, 6))
            as register_modulus_kwh,
        any_value(periods.register_decimals) as register_decimals,
        cast(any_value(periods.initial_register_kwh) as decimal(18, 6))
            as initial_register_kwh,
        cast(any_value(periods.final_register_kwh) as decimal(18, 6))
            as final_register_kwh,
        max(periods.service_size_kw) as service_size_kw,
        min(periods.from_at) as from_at,
        max(
            coalesce(periods.to_at, timestamp '9999-12-31 00:00:00.000000 UTC')
        ) as to_at
    from periods
    inner join devices on periods.device_id = devices.device_id
    where periods.service_size_kw <= 999999.99
    group by periods.device_id, periods.installed_at
)

select * from stg_meter_installations

{{ config(materialized='view') }}

select
    device_id,
    customer_id,
    transformer_id,
    manufacturer,
    model,
    firmware_version,
    time_zone,
    meter_multiplier,
    nominal_voltage_v,
    service_size_kw,
    interval_minutes,
    register_digits,
    latitude,
    longitude,
    is_active,
    installed_at,
    updated_at
from {{ source('master_data', 'device_master') }}

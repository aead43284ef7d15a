{{ config(materialized='view') }}

select
    devices.device_id,
    devices.customer_id,
    last_readings.last_status,
    devices.interval_minutes,
    last_readings.last_battery_pct,
    last_readings.last_voltage,
    periods.installed_at,
    last_readings.last_seen_at
from {{ ref('stg_devices') }} as devices
left join {{ ref('int_device_last_readings') }} as last_readings
    on devices.device_id = last_readings.device_id
left join {{ ref('stg_device_periods') }} as periods
    on
        devices.device_id = periods.device_id
        and periods.to_at is null
        and not periods.is_removed
where devices.is_active

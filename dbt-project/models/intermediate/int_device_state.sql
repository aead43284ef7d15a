{{ config(materialized='view') }}

select
    devices.device_id,
    devices.customer_id,
    devices.time_zone,
    last_readings.last_status,
    devices.interval_minutes,
    last_readings.last_battery_pct,
    last_readings.last_voltage,
    installations.installed_at,
    last_readings.last_seen_at
from {{ ref('stg_devices') }} as devices
left join {{ ref('int_device_last_readings') }} as last_readings
    on devices.device_id = last_readings.device_id
left join {{ ref('stg_installations') }} as installations
    on devices.device_id = installations.device_id
where devices.is_active

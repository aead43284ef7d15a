-- Meters in service and rows of device_health_status are the same set. Returns the
-- difference.

with active as (
    select device_id from {{ ref('stg_devices') }}
    where is_active
),

assessed as (
    select device_id from {{ ref('device_health_status') }}
)

select
    active.device_id as active_device_id,
    assessed.device_id as assessed_device_id
from active
full outer join assessed on active.device_id = assessed.device_id
where active.device_id is null or assessed.device_id is null

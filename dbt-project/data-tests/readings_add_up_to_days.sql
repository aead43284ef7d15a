-- A meter's day holds the energy and number of its readings. Returns the days that do
-- not.
{{ config(tags=['expensive']) }}

with readings as (
    select
        device_id,
        reading_date,
        sum(energy_kwh) as energy_kwh,
        count(*) as reading_count
    from {{ ref('int_meter_readings') }}
    where {{ processed_through(ref('device_daily_metrics')) }}
    group by device_id, reading_date
),

days as (
    select
        device_id,
        reading_date,
        total_energy_kwh,
        reading_count
    from {{ ref('device_daily_metrics') }}
)

select
    readings.energy_kwh,
    days.total_energy_kwh,
    coalesce(readings.device_id, days.device_id) as device_id,
    coalesce(readings.reading_date, days.reading_date) as reading_date
from readings
full outer join days
    on
        readings.device_id = days.device_id
        and readings.reading_date = days.reading_date
where
    readings.energy_kwh is distinct from days.total_energy_kwh
    or readings.reading_count is distinct from days.reading_count

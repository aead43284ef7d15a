-- A meter's spans hold the energy from its first register read to its last, and those
-- that are OK differ by no more than the tolerance. Returns the meters that do not.
{{ config(tags=['expensive']) }}

with readings as (
    select * from {{ ref('int_meter_readings') }}
    where {{ processed_through(ref('int_register_days')) }}
),

devices as (
    select * from {{ ref('stg_devices') }}
),

spans as (
    select * from {{ ref('register_reconciliation') }}
),

ends as (
    select
        device_id,
        min(reading_at) as first_at,
        max(reading_at) as last_at
    from readings
    where register_kwh is not null
    group by device_id
),

of_readings as (
    select
        readings.device_id,
        sum(readings.energy_kwh) as energy_kwh
    from readings
    inner join ends
        on
            readings.device_id = ends.device_id
            and readings.reading_at > ends.first_at
            and readings.reading_at <= ends.last_at
    inner join devices on readings.device_id = devices.device_id
    group by readings.device_id
),

of_spans as (
    select
        device_id,
        sum(slots_kwh) as energy_kwh,
        count_if(status = 'OK' and abs(difference_kwh) > tolerance_kwh) as wrong_count
    from spans
    group by device_id
)

select
    of_readings.energy_kwh as readings_kwh,
    of_spans.energy_kwh as spans_kwh,
    of_spans.wrong_count,
    coalesce(of_readings.device_id, of_spans.device_id) as device_id
from of_readings
full outer join of_spans on of_readings.device_id = of_spans.device_id
where
    of_readings.energy_kwh is distinct from of_spans.energy_kwh
    or of_spans.wrong_count > 0

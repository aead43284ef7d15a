-- A customer's day holds the energy and warnings of its meters. Returns the days that
-- do not.

with device_days as (
    select
        customer_id,
        reading_date,
        sum(total_energy_kwh) as energy_kwh,
        sum(warning_count) as warning_count
    from {{ ref('device_daily_metrics') }}
    where
        {{ processed_through(ref('customer_usage_summary')) }}
        and customer_id is not null
    group by customer_id, reading_date
),

customer_days as (
    select
        customer_id,
        reading_date,
        total_energy_kwh,
        total_warnings
    from {{ ref('customer_usage_summary') }}
)

select
    device_days.energy_kwh,
    customer_days.total_energy_kwh,
    coalesce(device_days.customer_id, customer_days.customer_id) as customer_id,
    coalesce(device_days.reading_date, customer_days.reading_date) as reading_date
from device_days
full outer join customer_days
    on
        device_days.customer_id = customer_days.customer_id
        and device_days.reading_date = customer_days.reading_date
where
    device_days.energy_kwh is distinct from customer_days.total_energy_kwh
    or device_days.warning_count is distinct from customer_days.total_warnings

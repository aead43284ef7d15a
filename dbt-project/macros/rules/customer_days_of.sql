{% macro customer_days_of(device_days) -%}
    select
        customer_id,
        reading_date,
        cast(sum(total_energy_kwh) as decimal(18, 6)) as total_energy_kwh,
        -- Each reading that has a voltage weighs the same, whichever meter it is from.
        cast(
            sum(avg_voltage * voltage_count) / nullif(sum(voltage_count), 0)
            as decimal(9, 3)
        ) as avg_voltage,
        count(*) as active_device_count,
        sum(reading_count) as reading_count,
        sum(warning_count) as total_warnings,
        cast(avg(health_score_pct) as decimal(5, 2)) as avg_device_health,
        case
            when count_if(device_health_status = 'UNHEALTHY') > 0 then 'ACTION_REQUIRED'
            when count_if(device_health_status = 'DEGRADED') > 0 then 'MONITOR'
            else 'NORMAL'
        end as customer_alert_status,
        max(batch_id) as batch_id,
        max(landed_at) as landed_at
    from {{ device_days }}
    -- Nobody pays for a meter whose place nobody has.
    where customer_id is not null
    group by customer_id, reading_date
{%- endmacro %}

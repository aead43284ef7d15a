{% macro device_days_of(readings, load_id=none) -%}
    with summed as (
        select
            device_id,
            reading_date,
            -- Removed during the day, a meter has still been somebody's on it.
            max_by(customer_id, reading_at) filter (where customer_id is not null)
                as customer_id,
            sum(energy_kwh) as total_energy_kwh,
            avg(voltage) as avg_voltage,
            min(voltage) as min_voltage,
            max(voltage) as max_voltage,
            avg(battery_pct) as avg_battery_pct,
            max_by(battery_pct, reading_at) filter (where battery_pct is not null)
                as last_battery_pct,
            count(reading_at) as reading_count,
            count(voltage) as voltage_count,
            count_if(not is_warning) as ok_count,
            count_if(is_warning) as warning_count,
            sum(duplicate_count) as duplicate_count,
            sum(correction_count) as correction_count,
            sum(superseded_count) as superseded_count,
            count_if(is_customer_mismatch) as customer_mismatch_count,
            max(batch_id) as batch_id,
            min(reading_at) as first_reading_at,
            max(reading_at) as last_reading_at,
            max(landed_at) as landed_at
        from {{ readings }}
        group by device_id, reading_date
    )

    select
        device_id,
        customer_id,
        reading_date,
        cast(total_energy_kwh as decimal(18, 6)) as total_energy_kwh,
        avg_voltage,
        min_voltage,
        max_voltage,
        avg_battery_pct,
        last_battery_pct,
        reading_count,
        voltage_count,
        ok_count,
        warning_count,
        duplicate_count,
        correction_count,
        superseded_count,
        customer_mismatch_count,
        cast(
            cast(100 * ok_count as decimal(18, 4)) / nullif(reading_count, 0)
            as decimal(5, 2)
        ) as health_score_pct,
        case
            when
                100 * warning_count > {{ var('unhealthy_warning_pct') }} * reading_count
                then 'UNHEALTHY'
            when warning_count > 0 then 'DEGRADED'
            else 'HEALTHY'
        end as device_health_status,
        batch_id,
        {%- if load_id %}
        {{ load_id }} as load_id,
        {%- endif %}
        first_reading_at,
        last_reading_at,
        landed_at
    from summed
{%- endmacro %}

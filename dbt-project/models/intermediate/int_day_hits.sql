{{ config(materialized='view') }}

with rules as (
    select * from {{ ref('stg_vee_rules') }}
    where is_active
),

periods as (
    select * from {{ ref('stg_device_periods') }}
),

customers as (
    select
        customer_id,
        customer_class
    from {{ ref('stg_customers') }}
),

device_days as (
    select * from {{ ref('device_daily_metrics') }}
),

days as (
    select
        device_days.device_id,
        coalesce(customers.customer_class, 'all') as customer_class,
        periods.meter_multiplier,
        device_days.reading_count,
        device_days.total_energy_kwh as day_kwh,
        device_days.reading_date as local_date,
        device_days.reading_date
        - interval '{{ var("compared_days") }}' day as first_compared_date,
        {{ local_midnight('device_days.reading_date', 'periods.time_zone') }}
            as from_at,
        {{ local_midnight(
            "device_days.reading_date + interval '1' day", 'periods.time_zone'
        ) }} as to_at
    from device_days
    -- The period of its first reading: a day has one multiplier and one zone here.
    inner join periods
        on
            device_days.device_id = periods.device_id
            and device_days.first_reading_at > periods.from_at
            and (
                device_days.first_reading_at <= periods.to_at
                or periods.to_at is null
            )
    left join customers on device_days.customer_id = customers.customer_id
),

days_before as (
    select
        days.device_id,
        days.customer_class,
        days.meter_multiplier,
        days.reading_count,
        days.day_kwh,
        array_sort(array_agg(device_days.total_energy_kwh)) as sorted_kwh,
        days.local_date,
        days.from_at,
        days.to_at
    from device_days
    inner join days
        on
            device_days.device_id = days.device_id
            and device_days.reading_date >= days.first_compared_date
            and device_days.reading_date < days.local_date
    group by
        days.device_id,
        days.customer_class,
        days.meter_multiplier,
        days.reading_count,
        days.day_kwh,
        days.local_date,
        days.from_at,
        days.to_at
    having count(*) >= {{ var('least_compared_days') }}
),

compared_days as (
    select
        *,
        {{ middle_of('sorted_kwh') }} as median_kwh,
        day_kwh > {{ middle_of('sorted_kwh') }} as is_more
    from days_before
),

hits as (
    select
        {{ rule_hit(
            'compared_days',
            'cast(compared_days.day_kwh as double) / compared_days.median_kwh',
            "case
                when rules.rule_code = 'R15' and compared_days.is_more then rules.threshold_1
                when rules.rule_code = 'R15' then 1 / rules.threshold_1
                when compared_days.is_more then compared_days.meter_multiplier
                else 1e0 / compared_days.meter_multiplier
            end",
            cause="case
                when rules.rule_code = 'R15' and compared_days.is_more then 'WH_AS_KWH'
                when rules.rule_code = 'R15' then 'MWH_AS_KWH'
                when compared_days.is_more then 'MULTIPLIED_TWICE'
                else 'MULTIPLIER_MISSED'
            end",
        ) }}
    from compared_days
    inner join rules on {{ rule_in_force(['R15', 'R16'], 'compared_days') }}
    where
        compared_days.reading_count >= rules.min_slots
        and compared_days.median_kwh > 0
        and case rules.rule_code
            when 'R15'
                then
                    compared_days.day_kwh
                    between compared_days.median_kwh * rules.threshold_1
                    and compared_days.median_kwh * rules.threshold_2
                    or compared_days.median_kwh
                    between compared_days.day_kwh * rules.threshold_1
                    and compared_days.day_kwh * rules.threshold_2
            when 'R16'
                then
                    compared_days.meter_multiplier > 1
                    and (
                        abs(
                            compared_days.day_kwh
                            - compared_days.median_kwh * compared_days.meter_multiplier
                        )
                        <= compared_days.median_kwh * compared_days.meter_multiplier
                        * rules.threshold_1 / 100
                        or abs(
                            compared_days.day_kwh * compared_days.meter_multiplier
                            - compared_days.median_kwh
                        )
                        <= compared_days.median_kwh * rules.threshold_1 / 100
                    )
        end
),

int_day_hits as (
    select
        device_id,
        channel,
        rule_code,
        rule_name,
        severity,
        cause,
        measured,
        limit_value,
        local_date,
        from_at,
        to_at
    from hits
)

select * from int_day_hits

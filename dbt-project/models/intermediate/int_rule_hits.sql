{{ config(materialized='view') }}
{#- Nothing is written: a changed threshold holds at once, without a statement. -#}
{%- set hits_of_rules = [
    'repeated_readings', 'conflicting_readings', 'readings_of_odd_length',
    'negative_energies', 'energies_beyond_service', 'days_in_other_units',
    'days_by_multiplier', 'clocks_ahead', 'readings_of_nobody',
] %}

with rules as (
    select * from {{ ref('stg_vee_rules') }}
    where is_active
),

devices as (
    select * from {{ ref('stg_devices') }}
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

readings as (
    select
        readings.device_id,
        coalesce(customers.customer_class, 'all') as customer_class,
        readings.energy_kwh,
        readings.export_kwh,
        readings.interval_s,
        periods.service_size_kw,
        periods.interval_minutes * 60 as expected_s,
        readings.duplicate_count,
        readings.correction_count + readings.superseded_count as conflict_count,
        readings.customer_id is not null as has_customer,
        periods.is_removed,
        readings.reading_date as local_date,
        periods.installed_at,
        {{ start_of('readings', 'periods') }} as from_at,
        readings.reading_at as to_at
    from {{ ref('int_meter_readings') }} as readings
    inner join periods on {{ in_period('readings', 'periods') }}
    left join customers on readings.customer_id = customers.customer_id
),

repeated_readings as (
    select
        {{ rule_hit('readings', 'readings.duplicate_count', 'rules.threshold_1') }}
    from readings
    inner join rules on {{ rule_in_force('R01', 'readings') }}
    where readings.duplicate_count > rules.threshold_1
),

conflicting_readings as (
    select
        {{ rule_hit('readings', 'readings.conflict_count', 'rules.threshold_1') }}
    from readings
    inner join rules on {{ rule_in_force('R02', 'readings') }}
    where readings.conflict_count > rules.threshold_1
),

readings_of_odd_length as (
    select
        {{ rule_hit(
            'readings',
            'readings.interval_s',
            'if(
                readings.interval_s < readings.expected_s,
                readings.expected_s * (1 - rules.threshold_1 / 100),
                readings.expected_s * (1 + rules.threshold_1 / 100)
            )',
            cause="if(
                readings.interval_s < readings.expected_s,
                'SHORT_INTERVAL',
                'LONG_INTERVAL'
            )",
        ) }}
    from readings
    inner join rules on {{ rule_in_force('R05', 'readings') }}
    where
        abs(readings.interval_s - readings.expected_s)
        > readings.expected_s * rules.threshold_1 / 100
        -- Parts that make up a whole interval are no fault.
        and coalesce(
            mod(readings.expected_s, nullif(readings.interval_s, 0)) != 0, true
        )
),

channel_readings as (
    select
        readings.device_id,
        readings.customer_class,
        channels.channel,
        channels.energy_kwh,
        channels.energy_kwh * 3600
        / nullif(coalesce(readings.interval_s, readings.expected_s), 0) as mean_kw,
        readings.service_size_kw,
        readings.local_date,
        readings.from_at,
        readings.to_at
    from readings
    cross join unnest(
        array['IMPORT', 'EXPORT'], array[readings.energy_kwh, readings.export_kwh]
    ) as channels (channel, energy_kwh)
),

negative_energies as (
    -- Channels count one way: what is fed in has one of its own.
    select
        {{ rule_hit(
            'channel_readings',
            'channel_readings.energy_kwh',
            'rules.threshold_1',
            channel='channel_readings.channel',
        ) }}
    from channel_readings
    inner join rules on {{ rule_in_force('R06', 'channel_readings') }}
    where channel_readings.energy_kwh < rules.threshold_1
),

energies_beyond_service as (
    select
        {{ rule_hit(
            'channel_readings',
            'channel_readings.mean_kw',
            'channel_readings.service_size_kw * if(
                channel_readings.mean_kw
                > channel_readings.service_size_kw * rules.threshold_2,
                rules.threshold_2,
                rules.threshold_1
            )',
            severity="if(
                channel_readings.mean_kw
                > channel_readings.service_size_kw * rules.threshold_2,
                'hard',
                rules.severity
            )",
            channel='channel_readings.channel',
        ) }}
    from channel_readings
    inner join rules on {{ rule_in_force('R07', 'channel_readings') }}
    where
        channel_readings.mean_kw
        > channel_readings.service_size_kw * rules.threshold_1
),

readings_of_nobody as (
    -- Energy that no bill has: the meter was nowhere, or nobody had the place.
    select
        {{ rule_hit(
            'readings',
            'readings.energy_kwh',
            '0',
            cause="if(
                readings.is_removed or readings.from_at < readings.installed_at,
                'NO_INSTALLATION',
                'NO_AGREEMENT'
            )",
        ) }}
    from readings
    inner join rules on {{ rule_in_force('R20', 'readings') }}
    where
        readings.is_removed
        or readings.from_at < readings.installed_at
        or not readings.has_customer
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
        {{ middle_of('sorted_kwh') }} as median_kwh
    from days_before
),

days_in_other_units as (
    select
        {{ rule_hit(
            'compared_days',
            'cast(compared_days.day_kwh as double) / compared_days.median_kwh',
            'if(
                compared_days.day_kwh > compared_days.median_kwh,
                rules.threshold_1,
                1 / rules.threshold_1
            )',
            cause="if(
                compared_days.day_kwh > compared_days.median_kwh,
                'WH_AS_KWH',
                'MWH_AS_KWH'
            )",
        ) }}
    from compared_days
    inner join rules on {{ rule_in_force('R15', 'compared_days') }}
    where
        compared_days.reading_count >= rules.min_slots
        and compared_days.median_kwh > 0
        and (
            compared_days.day_kwh
            between compared_days.median_kwh * rules.threshold_1
            and compared_days.median_kwh * rules.threshold_2
            or compared_days.median_kwh
            between compared_days.day_kwh * rules.threshold_1
            and compared_days.day_kwh * rules.threshold_2
        )
),

days_by_multiplier as (
    select
        {{ rule_hit(
            'compared_days',
            'cast(compared_days.day_kwh as double) / compared_days.median_kwh',
            'if(
                compared_days.day_kwh > compared_days.median_kwh,
                compared_days.meter_multiplier,
                1e0 / compared_days.meter_multiplier
            )',
            cause="if(
                compared_days.day_kwh > compared_days.median_kwh,
                'MULTIPLIED_TWICE',
                'MULTIPLIER_MISSED'
            )",
        ) }}
    from compared_days
    inner join rules on {{ rule_in_force('R16', 'compared_days') }}
    where
        compared_days.reading_count >= rules.min_slots
        and compared_days.median_kwh > 0
        and compared_days.meter_multiplier > 1
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
),

messages_ahead as (
    -- They lie when they came: their own time is what is wrong.
    select
        messages.device_id,
        coalesce(customers.customer_class, 'all') as customer_class,
        max(date_diff('millisecond', messages.kafka_at, messages.reading_at))
            as ahead_ms,
        cast(at_timezone(messages.kafka_at, devices.time_zone) as date) as local_date,
        messages.kafka_at - devices.interval_minutes * interval '1' minute as from_at,
        messages.kafka_at as to_at
    from {{ ref('quarantine_telemetry_raw') }} as messages
    inner join devices on messages.device_id = devices.device_id
    left join customers on devices.customer_id = customers.customer_id
    where messages.reason = 'reading_in_future'
    group by
        messages.device_id,
        customers.customer_class,
        messages.kafka_at,
        devices.time_zone,
        devices.interval_minutes
),

clocks_ahead as (
    select
        {{ rule_hit(
            'messages_ahead', 'messages_ahead.ahead_ms / 60000e0', 'rules.threshold_1'
        ) }}
    from messages_ahead
    inner join rules on {{ rule_in_force('R17', 'messages_ahead') }}
    where messages_ahead.ahead_ms > rules.threshold_1 * 60000
),

all_hits as (
    {%- for hits in hits_of_rules %}
    select * from {{ hits }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

int_rule_hits as (
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
    from all_hits
)

select * from int_rule_hits

{{ config(materialized='view') }}
{#- Nothing is written: a changed threshold holds at once, without a statement. -#}
{%- set hits_of_rules = [
    'repeated_readings', 'conflicting_readings', 'readings_of_odd_length',
    'readings_of_nobody', 'clocks_ahead', 'slot_hits', 'day_hits',
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
        readings.interval_s,
        periods.interval_minutes * 60 as expected_s,
        {{ slot_seconds('periods.interval_minutes') }} as slot_s,
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
    inner join rules on {{ rule_in_force(['R01'], 'readings') }}
    where readings.duplicate_count > rules.threshold_1
),

conflicting_readings as (
    select
        {{ rule_hit('readings', 'readings.conflict_count', 'rules.threshold_1') }}
    from readings
    inner join rules on {{ rule_in_force(['R02'], 'readings') }}
    where readings.conflict_count > rules.threshold_1
),

readings_of_odd_length as (
    select
        {{ rule_hit(
            'readings',
            'readings.interval_s',
            odd_length_limit('readings', 'readings.interval_s'),
            cause=odd_length_cause('readings', 'readings.interval_s'),
        ) }}
    from readings
    inner join rules on {{ rule_in_force(['R05'], 'readings') }}
    where
        {{ is_odd_length('readings', 'readings.interval_s') }}
        -- Parts that make up a whole slot are no fault.
        and coalesce(mod(readings.slot_s, nullif(readings.interval_s, 0)) != 0, true)
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
    inner join rules on {{ rule_in_force(['R20'], 'readings') }}
    where
        readings.is_removed
        or readings.from_at < readings.installed_at
        or not readings.has_customer
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
    inner join rules on {{ rule_in_force(['R17'], 'messages_ahead') }}
    where messages_ahead.ahead_ms > rules.threshold_1 * 60000
),

slot_hits as (
    -- R05 is of a reading here.
    select * from {{ ref('int_slot_hits') }}
    where rule_code != 'R05'
),

day_hits as (
    select * from {{ ref('int_day_hits') }}
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

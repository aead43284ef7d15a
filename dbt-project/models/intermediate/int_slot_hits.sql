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

slots as (
    select
        slots.device_id,
        slots.channel,
        coalesce(customers.customer_class, 'all') as customer_class,
        slots.energy_kwh,
        slots.energy_kwh * 3600
        / date_diff('second', slots.slot_start_at, slots.slot_end_at) as mean_kw,
        slots.odd_length_s,
        periods.service_size_kw,
        periods.interval_minutes * 60 as expected_s,
        slots.local_date,
        slots.slot_start_at as from_at,
        slots.slot_end_at as to_at
    from {{ ref('int_interval_reads') }} as slots
    inner join periods
        on
            slots.device_id = periods.device_id
            and slots.slot_start_at >= periods.from_at
            and (slots.slot_start_at < periods.to_at or periods.to_at is null)
    left join customers on periods.customer_id = customers.customer_id
),

hits as (
    -- Channels count one way: what is fed in has one of its own.
    select
        {{ rule_hit(
            'slots',
            "case rules.rule_code
                when 'R05' then slots.odd_length_s
                when 'R06' then slots.energy_kwh
                when 'R07' then slots.mean_kw
            end",
            "case rules.rule_code
                when 'R05' then " ~ odd_length_limit('slots', 'slots.odd_length_s') ~ "
                when 'R06' then rules.threshold_1
                when 'R07' then slots.service_size_kw * if(
                    slots.mean_kw > slots.service_size_kw * rules.threshold_2,
                    rules.threshold_2,
                    rules.threshold_1
                )
            end",
            cause="if(
                rules.rule_code = 'R05',
                " ~ odd_length_cause('slots', 'slots.odd_length_s') ~ ",
                rules.rule_name
            )",
            severity="if(
                rules.rule_code = 'R07'
                and slots.mean_kw > slots.service_size_kw * rules.threshold_2,
                'hard',
                rules.severity
            )",
            channel='slots.channel',
        ) }}
    from slots
    inner join rules on {{ rule_in_force(['R05', 'R06', 'R07'], 'slots') }}
    where
        case rules.rule_code
            when 'R05' then {{ is_odd_length('slots', 'slots.odd_length_s') }}
            when 'R06' then slots.energy_kwh < rules.threshold_1
            when 'R07' then slots.mean_kw > slots.service_size_kw * rules.threshold_1
        end
),

int_slot_hits as (
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

select * from int_slot_hits

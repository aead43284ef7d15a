{{ config(materialized='view') }}
{%- set sums = [
    'energy_kwh', 'peak_kw', 'slot_starts_us', 'valid_count',
    'suspect_count', 'derived_count', 'estimated_count', 'edited_count',
    'measured_s', 'peak_at', 'first_slot_at', 'last_slot_at',
] %}

with energy_days as (
    select * from {{ ref('int_energy_days') }}
),

bounds as (
    select
        max(threshold_1) filter (where rule_code = 'R06') as least_kwh,
        min(threshold_1) filter (where rule_code = 'R07') as load_factor
    from {{ ref('stg_vee_rules') }}
    where is_active
),

sizes as (
    select
        device_id,
        min(service_size_kw) as service_size_kw
    from {{ ref('stg_device_periods') }}
    group by device_id
),

day_hits as (
    select distinct
        device_id,
        channel,
        local_date
    from {{ ref('int_day_hits') }}
),

suspicious_days as (
    -- Whatever class or date a rule is for: slots are judged by the one that holds.
    select
        energy_days.device_id,
        energy_days.channel,
        energy_days.local_date
    from energy_days
    cross join bounds
    left join sizes on energy_days.device_id = sizes.device_id
    left join day_hits
        on
            energy_days.device_id = day_hits.device_id
            and energy_days.channel = day_hits.channel
            and energy_days.local_date = day_hits.local_date
    where
        energy_days.least_kwh < bounds.least_kwh
        or energy_days.peak_kw > sizes.service_size_kw * bounds.load_factor
        or energy_days.odd_count > 0
        or day_hits.device_id is not null
),

judged_slots as (
    select slots.*
    from {{ ref('int_judged_slots') }} as slots
    inner join suspicious_days
        on
            slots.device_id = suspicious_days.device_id
            and slots.channel = suspicious_days.channel
            and slots.local_date = suspicious_days.local_date
),

judged_days as (
    {{ energy_days_of('judged_slots') }}
),

chosen_days as (
    select
        days.device_id,
        days.channel,
        {%- for name in sums %}
        if(judged.device_id is null, days.{{ name }}, judged.{{ name }}) as {{ name }},
        {%- endfor %}
        days.local_date
    from energy_days as days
    left join judged_days as judged
        on
            days.device_id = judged.device_id
            and days.channel = judged.channel
            and days.local_date = judged.local_date
),

int_judged_days as (
    select
        device_id,
        channel,
        energy_kwh,
        peak_kw,
        slot_starts_us,
        valid_count,
        suspect_count,
        derived_count,
        estimated_count,
        edited_count,
        measured_s,
        local_date,
        peak_at,
        first_slot_at,
        last_slot_at
    from chosen_days
)

select * from int_judged_days

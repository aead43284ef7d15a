-- The faults, each with the circumstances that faults.tsv asks for.
create table faults as
with told_faults as (
    select
        told.kind,
        told.device_id,
        told.from_at,
        told.to_at,
        true_values ->> 'field' as field,
        (true_values ->> 'energy_kwh')::double as true_kwh,
        (true_values ->> 'sent_kwh')::double as sent_kwh,
        (true_values ->> 'sent_timestamp')::timestamptz as sent_at,
        meters.service_size_kw * epoch(told.to_at - told.from_at) / 3600 as service_kwh,
        limits.threshold_1 as service_limit
    from told
    left join meters on told.device_id = meters.device_id
    left join limits
        on
            meters.customer_class = limits.customer_class
            and timezone(meters.time_zone, told.from_at)::date >= limits.valid_from
            and (
                timezone(meters.time_zone, told.from_at)::date < limits.valid_to
                or limits.valid_to is null
            )
    where told.kind not in ('slot', 'recorded', 'log_line') and told.device_id is not null
),

judged_faults as (
    select
        *,
        -- More than ten times the service is no measurement: dbt's energy_gross_factor.
        coalesce(abs(sent_kwh) > 10 * service_kwh, false) as is_impossible
    from told_faults
),

readings as (
    select
        kind,
        device_id,
        from_at,
        to_at,
        sent_at,
        list_filter(
            [
                case
                    when field in ('device_id', 'timestamp', 'metrics', 'energy_kwh')
                        then 'decisive'
                end,
                case when is_impossible then 'impossible' end,
                case
                    when sent_kwh > service_limit * service_kwh and not is_impossible
                        then 'over_service'
                end,
                case when sent_kwh <> true_kwh then 'other_value' end,
                -- Whenever it was sent: that was before now.
                case
                    when sent_at > getvariable('scored_at') + interval 5 minute then 'ahead'
                end
            ],
            lambda name: name is not null
        ) as circumstances
    from judged_faults
    where from_at < to_at
),

registers as (
    -- A moment: the register fell with the first read after it, of a roll-over with the one then.
    select
        case
            when kind = 'exchange' and not exists (
                from installations
                where
                    installations.device_id = judged_faults.device_id
                    and installations.from_at = judged_faults.from_at
            ) then 'exchange_unrecorded'
            else kind
        end as kind,
        device_id,
        if(kind = 'rollover', from_at - interval 1 millisecond, from_at) as from_at,
        if(kind = 'rollover', from_at, from_at + interval 1 millisecond) as to_at,
        null::timestamptz as sent_at,
        [] as circumstances
    from judged_faults
    where from_at = to_at
),

hidden as (
    -- A meter without power at the end of a slot sends nothing for it.
    select
        'outage' as kind,
        slots.device_id,
        slots.from_at,
        slots.to_at,
        null::timestamptz as sent_at,
        ['hid_reading'] as circumstances
    from true_slots as slots
    inner join told
        on
            slots.device_id = told.device_id
            and told.kind = 'outage'
            and slots.to_at >= told.from_at
            and slots.to_at < told.to_at
),

repeated as (
    select
        'sent_again' as kind,
        device_id,
        from_at,
        to_at,
        null::timestamptz as sent_at,
        [] as circumstances
    from true_slots
    where run_count > 1
    union all
    select 'duplicate', device_id, from_at, to_at, null, []
    from told
    where kind = 'recorded'
    group by device_id, from_at, to_at, file
    having count(*) > 1
)

select
    row_number() over () as fault_number,
    all_faults.*
from (
    from readings
    union all by name from registers
    union all by name from hidden
    union all by name from repeated
) as all_faults

{{ config(materialized='view', pre_hook='{{ create_replay_ledger() }}') }}
{%- set compared_columns = [
    'kafka_offset',
    'status',
    'quality_in',
    'energy_kwh',
    'voltage',
    'battery_pct',
    'register_kwh',
    'export_kwh',
    'register_export_kwh',
    'interval_s',
    'quality_rank',
    'revision',
] %}

with messages as (
    select * from {{ ref('stg_telemetry_raw') }}
),

replayed as (
    -- A message that was rejected again since may have been replayed twice.
    select
        telemetry_key,
        max_by(reason, replay_number) as reason,
        max(replayed_at) as replayed_at
    from {{ source('replays', 'replayed_telemetry_raw') }}
    group by telemetry_key
),

arrived as (
    select
        *,
        {{ superseded_by('ones_before') }} as is_superseded
    from messages
    window
        in_order as (
            partition by device_id, reading_at
            order by kafka_at, kafka_partition, kafka_offset, batch_id
        ),
        ones_before as (
            in_order rows between unbounded preceding and 1 preceding
        )
),

followed as (
    -- With the one before it that counted when it came, NULLs and all.
    select
        *,
        lag(
            if(not is_superseded, row({{ compared_columns | join(', ') }}))
        ) ignore nulls over in_order as before
    from arrived
    window
        in_order as (
            partition by device_id, reading_at
            order by kafka_at, kafka_partition, kafka_offset, batch_id
        )
),

compared as (
    select
        {%- for column in compared_columns %}
        before[{{ loop.index }}] as {{ column }}_before,
        {%- endfor %}
        *
    from followed
),

reading_corrections as (
    select
        compared.telemetry_key,
        compared.device_id,
        case
            when compared.is_superseded then 'SUPERSEDED_ON_ARRIVAL'
            when replayed.telemetry_key is not null
                then concat('replayed: was ', replayed.reason)
            else 'sent again with other values'
        end as why,
        compared.status_before,
        compared.status as status_after,
        compared.quality_in_before as quality_before,
        compared.quality_in as quality_after,
        compared.energy_kwh_before,
        compared.energy_kwh as energy_kwh_after,
        compared.voltage_before,
        compared.voltage as voltage_after,
        compared.battery_pct_before,
        compared.battery_pct as battery_pct_after,
        compared.register_kwh_before,
        compared.register_kwh as register_kwh_after,
        compared.export_kwh_before,
        compared.export_kwh as export_kwh_after,
        compared.register_export_kwh_before,
        compared.register_export_kwh as register_export_kwh_after,
        compared.interval_s_before,
        compared.interval_s as interval_s_after,
        compared.revision_before,
        compared.revision as revision_after,
        compared.kafka_partition,
        compared.kafka_offset,
        compared.reading_at,
        coalesce(replayed.replayed_at, compared.landed_at) as corrected_at
    from compared
    left join replayed on compared.telemetry_key = replayed.telemetry_key
    where
        replayed.telemetry_key is not null
        or compared.is_superseded
        or (
            compared.kafka_offset_before is not null
            and {{ measured_values('compared') }}
            is distinct from {{ measured_values('compared', '_before') }}
        )
)

select * from reading_corrections

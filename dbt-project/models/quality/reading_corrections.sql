{{ config(materialized='view', pre_hook='{{ create_replay_ledger() }}') }}

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

compared as (
    select
        *,
        lag(kafka_offset) over in_order as kafka_offset_before,
        lag(energy_kwh) over in_order as energy_kwh_before,
        lag(voltage) over in_order as voltage_before,
        lag(battery_pct) over in_order as battery_pct_before,
        lag(register_kwh) over in_order as register_kwh_before,
        lag(interval_s) over in_order as interval_s_before,
        lag(status) over in_order as status_before
    from messages
    window
        in_order as (
            partition by device_id, reading_at
            order by kafka_at, kafka_partition, kafka_offset, batch_id
        )
),

reading_corrections as (
    select
        compared.telemetry_key,
        compared.device_id,
        case
            when replayed.telemetry_key is not null
                then concat('replayed: was ', replayed.reason)
            else 'sent again with other values'
        end as why,
        compared.status_before,
        compared.status as status_after,
        compared.energy_kwh_before,
        compared.energy_kwh as energy_kwh_after,
        compared.voltage_before,
        compared.voltage as voltage_after,
        compared.battery_pct_before,
        compared.battery_pct as battery_pct_after,
        compared.register_kwh_before,
        compared.register_kwh as register_kwh_after,
        compared.interval_s_before,
        compared.interval_s as interval_s_after,
        compared.kafka_partition,
        compared.kafka_offset,
        compared.reading_at,
        coalesce(replayed.replayed_at, compared.landed_at) as corrected_at
    from compared
    left join replayed on compared.telemetry_key = replayed.telemetry_key
    where
        replayed.telemetry_key is not null
        or (
            compared.kafka_offset_before is not null
            and row(
                compared.energy_kwh,
                compared.voltage,
                compared.battery_pct,
                compared.register_kwh,
                compared.interval_s,
                compared.status
            ) is distinct from row(
                compared.energy_kwh_before,
                compared.voltage_before,
                compared.battery_pct_before,
                compared.register_kwh_before,
                compared.interval_s_before,
                compared.status_before
            )
        )
)

select * from reading_corrections

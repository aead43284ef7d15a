{{ config(materialized='view') }}

with stg_installations as (
    select
        device_id,
        installed_at
    from {{ source('master_data', 'device_master') }}
    -- PostgreSQL leaves out infinity, at which Trino fails. No other view reads it.
    where
        installed_at >= timestamp '0001-01-01 00:00:00 UTC'
        and installed_at < timestamp '9999-01-01 00:00:00 UTC'
)

select * from stg_installations

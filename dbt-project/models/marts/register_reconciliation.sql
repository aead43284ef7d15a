{{ config(materialized='view') }}

with register_days as (
    select * from {{ ref('int_register_days') }}
),

installations as (
    select * from {{ ref('stg_meter_installations') }}
),

register_reconciliation as (
    {{ register_spans_of('register_days', 'installations') }}
)

select * from register_reconciliation

{{ config(materialized='view') }}

with device_days as (
    select * from {{ ref('device_daily_metrics_live') }}
),

customer_usage_live as (
    {{ customer_days_of('device_days') }}
)

select * from customer_usage_live

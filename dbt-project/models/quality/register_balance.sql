{{ config(materialized='view') }}

with register_days as (
    select * from {{ ref('int_register_days') }}
    where
        register_date
        > current_date - interval '{{ var("register_balance_days") }}' day
),

installations as (
    select * from {{ ref('stg_meter_installations') }}
),

spans as (
    {{ register_spans_of('register_days', 'installations') }}
),

register_balance as (
    -- What is late may come: a span counts some hours after its end.
    select
        status,
        cause,
        count(*) as span_count,
        cast(coalesce(sum(if(cause is not null, abs(difference_kwh))), 0) as double)
            as difference_kwh
    from spans
    where
        to_at
        < current_timestamp - interval '{{ var("register_balance_hours") }}' hour
    group by status, cause
)

select * from register_balance

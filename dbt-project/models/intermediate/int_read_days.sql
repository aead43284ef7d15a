{{ config(materialized='view') }}

with expected_days as (
    select * from {{ ref('int_expected_days') }}
),

judged_days as (
    select * from {{ ref('int_judged_days') }}
),

int_read_days as (
    {{ read_days_of('expected_days', 'judged_days') }}
)

select * from int_read_days

{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['device_id', 'channel', 'local_date'],
    properties={"partitioning": "array['month(local_date)']"},
) }}
{%- set window = processing_window(ref('int_interval_reads')) %}
{%- set touched = whole_ranges(ref('int_interval_reads'), 'local_date', window) %}

{{ run_note(window, 'local_date', touched) }}
with slots as (
    -- All meters of the days: a slot that is gone changes its day too.
    select * from {{ ref('int_interval_reads') }}
    where {{ in_ranges('local_date', touched) }}
),

int_energy_days as (
    {{ energy_days_of('slots') }}
)

select * from int_energy_days

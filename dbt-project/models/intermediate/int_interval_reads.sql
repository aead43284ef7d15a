{{ config(
    materialized='by_batch',
    incremental_strategy='merge',
    unique_key=['device_id', 'channel', 'slot_start_at'],
    properties={"partitioning": "array['month(slot_start_at)']"},
) }}
{%- set upstream = ref('int_meter_readings') %}
{%- set window = processing_window(upstream, by_period=true) %}
{%- set touched = slot_ranges(
    touched_ranges(upstream, 'reading_date', window, each_of='version_dates'),
    upstream, window
) %}

{{ run_note(window, 'local_date', touched, gone='read_count = 0') }}
with readings as (
    select * from {{ upstream }}
    where {{ in_ranges('reading_date', touched) }}
),
{%- if not window.rebuild %}

meter_days as (
    -- An hour is the longest interval of master data.
    select
        device_id,
        reading_date,
        min(time_zone) as time_zone,
        cast(ceil(max(greatest(coalesce(interval_s, 3600), 3600))) as bigint)
            as longest_s,
        min(if({{ in_window(window) }}, version_dates[1])) as first_date,
        max(if({{ in_window(window) }}, version_count)) as version_count,
        min(
            if(
                {{ in_window(window) }},
                reading_at
                - interval '1' second * cast(coalesce(interval_s, 3600) + 1 as bigint)
            )
        ) as first_start_at,
        max(if({{ in_window(window) }}, reading_at)) as last_end_at
    from readings
    group by device_id, reading_date
),

meters as (
    select
        *,
        2 * max(longest_s) over (partition by device_id) as reach_s
    from meter_days
),

reached as (
    -- A reading changes what counts of those that it shares time with, and of those
    -- that share time with these. A version may have had another length: a day more.
    select
        device_id,
        reach_s,
        least(
            first_date - interval '1' day * if(
                version_count > 1, 1 + reach_s / 86400, 0
            ),
            cast(
                at_timezone(first_start_at - interval '1' second * reach_s, time_zone)
                as date
            )
        ) as first_date,
        cast(
            at_timezone(last_end_at + interval '1' second * reach_s, time_zone) as date
        ) as last_date
    from meters
    where first_date is not null
),

touched_days as (
    select distinct
        reached.device_id,
        reached.reach_s,
        days.local_date
    from reached
    cross join
        unnest(sequence(
            reached.first_date, reached.last_date
        )) as days (local_date)
    {%- if window.changed %}
    union distinct
    -- Another zone or interval gives a meter other slots on the days that it had.
    select
        held_days.device_id,
        coalesce(reaches.reach_s, 7200) as reach_s,
        held_days.local_date
    from {{ this }} as held_days
    inner join {{ changed_devices(window) }} as changed
        on
            held_days.device_id = changed.device_id
            and held_days.local_date >= cast(changed.from_at - interval '2' day as date)
    left join (  -- noqa: ST05
        select distinct
            device_id,
            reach_s
        from meters
    ) as reaches on held_days.device_id = reaches.device_id
    where {{ in_ranges('held_days.local_date', touched) }}
    {%- endif %}
),

read_days as (
    select distinct
        touched_days.device_id,
        days.reading_date
    from touched_days
    cross join unnest(sequence(
        touched_days.local_date
        - interval '1' day * (1 + 2 * touched_days.reach_s / 86400),
        touched_days.local_date
        + interval '1' day * (1 + touched_days.reach_s / 86400)
    )) as days (reading_date)
),
{%- endif %}

touched_readings as (
    select readings.*
    from readings
    {{ join_touched(window, 'readings', 'read_days', ['device_id', 'reading_date']) }}
),

slots as (
    {{ interval_reads_of('touched_readings', load_id(window)) }}
),

held as (
    -- A slot that no reading has any more comes with its key alone.
    {%- if window.rebuild %}
    select * from slots
    where false
    {%- else %}
    select held_slots.*
    from {{ this }} as held_slots
    inner join touched_days
        on
            held_slots.device_id = touched_days.device_id
            and held_slots.local_date = touched_days.local_date
    where {{ in_ranges('held_slots.local_date', touched) }}
    {%- endif %}
),

touched_slots as (
    select slots.*
    from slots
    {{ join_touched(window, 'slots', 'touched_days', ['device_id', 'local_date']) }}
),

int_interval_reads as (
    select
        coalesce(touched_slots.device_id, held.device_id) as device_id,
        coalesce(touched_slots.channel, held.channel) as channel,
        touched_slots.quality_code,
        touched_slots.energy_kwh,
        touched_slots.covered_s,
        touched_slots.odd_length_s,
        touched_slots.slot_number,
        coalesce(touched_slots.read_count, 0) as read_count,
        touched_slots.is_disaggregated,
        touched_slots.batch_id,
        touched_slots.load_id,
        coalesce(touched_slots.local_date, held.local_date) as local_date,
        coalesce(touched_slots.slot_start_at, held.slot_start_at) as slot_start_at,
        touched_slots.slot_end_at,
        touched_slots.landed_at
    from touched_slots
    full outer join held
        on
            touched_slots.device_id = held.device_id
            and touched_slots.channel = held.channel
            and touched_slots.slot_start_at = held.slot_start_at
)

select * from int_interval_reads

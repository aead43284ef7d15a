{% macro interval_reads_of(readings, load_id=none) -%}
    with reads as (
        {{ channel_reads_of(readings) }}
    ),

    overlapped as (
        {{ overlapped_reads_of('reads') }}
    ),

    used as (
        -- A reading without a length measured nothing long; its energy is of the slot it is in.
        select
            reads.*,
            least(reads.start_us, reads.end_us - 1) as begin_us,
            cast(
                at_timezone({{ moment_of_us('reads.end_us - 1') }}, reads.time_zone) as date
            ) as end_date
        from reads
        left join overlapped
            on
                reads.device_id = overlapped.device_id
                and reads.channel = overlapped.channel
                and reads.end_us = overlapped.end_us
        where overlapped.end_us is null
    ),

    days as (
        select
            used.*,
            dates.local_date,
            {{ day_start_us('dates.local_date', 'used.time_zone') }} as day_start_us,
            {{ day_start_us("dates.local_date + interval '1' day", 'used.time_zone') }}
                as day_end_us
        from used
        cross join unnest(sequence(used.start_date, used.end_date)) as dates (local_date)
    ),

    numbered as (
        select
            days.*,
            numbers.slot_number,
            days.day_start_us + numbers.slot_number * days.slot_us as slot_start_us,
            least(
                days.day_start_us + (numbers.slot_number + 1) * days.slot_us, days.day_end_us
            ) as slot_end_us
        from days
        cross join unnest(sequence(
            (greatest(days.begin_us, days.day_start_us) - days.day_start_us) / days.slot_us,
            (least(days.end_us, days.day_end_us) - 1 - days.day_start_us) / days.slot_us
        )) as numbers (slot_number)
    ),

    clipped as (
        select
            *,
            greatest(begin_us, slot_start_us) as from_us,
            least(end_us, slot_end_us) as to_us,
            cast(abs(energy_kwh) * 1000000 as decimal(38, 0)) as whole
        from numbered
    ),

    weighed as (
        select
            *,
            whole * cast(to_us - from_us as decimal(38, 0)) as weight,
            cast(end_us - begin_us as decimal(38, 0)) as length
        from clipped
    ),

    rounded_down as (
        select
            *,
            mod(weight, length) as remainder,
            (weight - mod(weight, length)) / length as part
        from weighed
    ),

    shared_out as (
        -- The parts of a reading add up to it: what rounding down leaves goes to the largest
        -- remainders, of equal ones to the earliest.
        select
            *,
            part + if(
                row_number() over by_remainder <= whole - sum(part) over whole_read, 1, 0
            ) as share,
            count(*) over whole_read as part_count
        from rounded_down
        window
            by_remainder as (
                partition by device_id, channel, end_us
                order by remainder desc, slot_start_us
            ),
            whole_read as (
                by_remainder range between unbounded preceding and unbounded following
            )
    ),

    slots as (
        select
            device_id,
            channel,
            slot_start_us,
            min(slot_end_us) as slot_end_us,
            min(slot_number) as slot_number,
            min(local_date) as local_date,
            sum(sign(energy_kwh) * share) as total,
            count(*) as read_count,
            min(quality_rank) as lowest_rank,
            max(quality_rank) as highest_rank,
            bool_or(part_count > 1) as is_disaggregated,
            max_by(
                end_us - start_us, row(abs(end_us - start_us - interval_us), end_us)
            ) filter (
                where end_us - start_us != interval_us
                and mod(slot_us, greatest(end_us - start_us, 1)) != 0
            ) as odd_us,
            max(to_us - from_us) filter (where end_us > start_us) as longest_us,
            array_agg(array[from_us, to_us]) filter (
                where end_us > start_us and to_us - from_us < slot_end_us - slot_start_us
            ) as spans,
            max(batch_id) as batch_id,
            max(landed_at) as landed_at
        from shared_out
        group by device_id, channel, slot_start_us
    ),

    covered as (
        select
            *,
            if(
                longest_us = slot_end_us - slot_start_us,
                longest_us,
                reduce(
                    array_sort(coalesce(spans, cast(array[] as array(array(bigint))))),
                    array[slot_start_us, bigint '0'],
                    (state, span) -> array[
                        greatest(state[1], span[2]),
                        state[2] + greatest(0, span[2] - greatest(state[1], span[1]))
                    ],
                    state -> state[2]
                )
            ) as covered_us
        from slots
    )

    select
        device_id,
        channel,
        case
            when covered_us <= slot_end_us - slot_start_us - 1000000 then null
            when lowest_rank < 5 then 'ESTIMATED'
            when highest_rank > 5 then 'EDITED'
            when is_disaggregated then 'DERIVED'
            else 'VALID'
        end as quality_code,
        cast(
            cast(total as decimal(30, 0)) * decimal '0.000001' as decimal(18, 6)
        ) as energy_kwh,
        cast(
            cast(covered_us as decimal(18, 0)) * decimal '0.000001' as decimal(12, 6)
        ) as covered_s,
        cast(
            cast(odd_us as decimal(18, 0)) * decimal '0.000001' as decimal(12, 3)
        ) as odd_length_s,
        slot_number,
        read_count,
        is_disaggregated,
        batch_id,
        {%- if load_id %}
        {{ load_id }} as load_id,
        {%- endif %}
        local_date,
        {{ moment_of_us('slot_start_us') }} as slot_start_at,
        {{ moment_of_us('slot_end_us') }} as slot_end_at,
        landed_at
    from covered
{%- endmacro %}

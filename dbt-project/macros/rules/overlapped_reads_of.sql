{% macro overlapped_reads_of(reads) -%}
    with placed as (
        -- Which readings share time with another one at all: few, so that the rest is cheap.
        select
            *,
            max(end_us) over (
                partition by device_id, channel
                order by start_us, end_us
                rows between unbounded preceding and 1 preceding
            ) as last_end_us,
            lead(start_us) over (
                partition by device_id, channel
                order by start_us, end_us
            ) as next_start_us
        from {{ reads }}
        where end_us - start_us >= 1000000
    ),

    hours as (
        -- Cut at full hours, so that a reading meets only those near it.
        select
            placed.*,
            if(
                mod(
                    placed.start_us
                    - {{ day_start_us('placed.start_date', 'placed.time_zone') }},
                    placed.slot_us
                ) = 0, 1, 0
            ) as is_on_grid,
            numbers.hour_number,
            greatest(placed.start_us, numbers.hour_number * 3600000000) as from_us,
            least(placed.end_us, (numbers.hour_number + 1) * 3600000000) as to_us
        from placed
        cross join unnest(sequence(
            placed.start_us / 3600000000, (placed.end_us - 1) / 3600000000
        )) as numbers (hour_number)
        where
            placed.last_end_us - placed.start_us >= 1000000
            or placed.end_us - placed.next_start_us >= 1000000
    ),

    met as (
        select
            *,
            array_agg(
                cast(
                    row(start_us, end_us, quality_rank)
                    as row (start_us bigint, end_us bigint, quality_rank integer)
                )
            ) over (partition by device_id, channel, hour_number) as others
        from hours
    ),

    compared as (
        select
            *,
            any_match(
                others,
                other -> other.quality_rank > quality_rank
                and {{ shared_us('other') }} >= 1000000
            ) as is_outranked,
            reduce(
                array_sort(transform(
                    filter(
                        others,
                        other -> other.quality_rank = quality_rank
                        and other.end_us - other.start_us < end_us - start_us
                        and least(other.end_us, to_us) > greatest(other.start_us, from_us)
                    ),
                    other -> array[
                        greatest(other.start_us, from_us), least(other.end_us, to_us)
                    ]
                )),
                array[from_us, bigint '0'],
                (state, span) -> array[
                    greatest(state[1], span[2]),
                    state[2] + greatest(0, span[2] - greatest(state[1], span[1]))
                ],
                state -> state[2]
            ) as shorter_us
        from met
    ),

    judged as (
        select
            *,
            bool_or(is_outranked) over whole_read
            or sum(shorter_us) over whole_read > end_us - start_us - 1000000 as is_out
        from compared
        window whole_read as (partition by device_id, channel, end_us)
    ),

    met_again as (
        select
            *,
            array_agg(
                if(
                    not is_out,
                    cast(
                        row(start_us, end_us, is_on_grid)
                        as row (start_us bigint, end_us bigint, is_on_grid integer)
                    )
                )
            ) over (partition by device_id, channel, hour_number) as left_ones
        from judged
    )

    select distinct
        device_id,
        channel,
        end_us
    from met_again
    where
        is_out
        or any_match(
            filter(left_ones, other -> other is not null),
            other -> {{ shared_us('other') }} >= 1000000
            and row(other.end_us - other.start_us, other.is_on_grid, -other.end_us)
            > row(end_us - start_us, is_on_grid, -end_us)
        )
{%- endmacro %}

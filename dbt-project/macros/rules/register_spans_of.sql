{% macro register_spans_of(register_days, installations) -%}
    with summed as (
        -- Days without a register read count too: their energy is of the span around them.
        select
            *,
            coalesce(sum(energy_kwh) over days_before, 0) as energy_before_kwh,
            coalesce(sum(estimate_count) over days_before, 0) as estimates_before
        from {{ register_days }}
        window
            days_before as (
                partition by device_id, channel order by register_date
                rows between unbounded preceding and 1 preceding
            )
    ),

    read_days as (
        select
            *,
            energy_before_kwh + energy_to_first_kwh as energy_at_first_kwh,
            energy_before_kwh + energy_to_last_kwh as energy_at_last_kwh,
            estimates_before + estimate_to_first_count as estimates_at_first,
            estimates_before + estimate_to_last_count as estimates_at_last
        from summed
        where last_register_at is not null
    ),

    followed as (
        select
            *,
            lag(last_register_kwh) over in_order as register_before_kwh,
            lag(energy_at_last_kwh) over in_order as energy_at_before_kwh,
            lag(estimates_at_last) over in_order as estimates_at_before,
            lag(last_register_at) over in_order as register_before_at
        from read_days
        window in_order as (partition by device_id, channel order by register_date)
    ),

    spans as (
        -- A span goes from the last register read before the day to the last one of it; the
        -- first one of a meter begins with its first read.
        select
            device_id,
            channel,
            coalesce(register_before_kwh, first_register_kwh) as register_from,
            last_register_kwh as register_to,
            energy_at_last_kwh - coalesce(energy_at_before_kwh, energy_at_first_kwh)
                as slots_kwh,
            estimates_at_last - coalesce(estimates_at_before, estimates_at_first)
                as estimate_count,
            coalesce(falls, array[]) || if(
                first_register_kwh < register_before_kwh,
                array[cast(
                    row(
                        register_before_at,
                        register_before_kwh,
                        first_register_at,
                        first_register_kwh
                    )
                    as row(
                        from_at timestamp(6) with time zone,
                        from_kwh decimal(18, 6),
                        to_at timestamp(6) with time zone,
                        to_kwh decimal(18, 6)
                    )
                )],
                array[]
            ) as falls,
            coalesce(register_before_at, first_register_at) as from_at,
            last_register_at as to_at
        from followed
        where register_before_at is not null or first_register_at < last_register_at
    ),

    parts as (
        -- What each installation counted of a span: mostly there is one.
        select
            spans.*,
            installations.meter_multiplier,
            installations.register_modulus_kwh,
            installations.register_decimals,
            installations.service_size_kw,
            if(installations.from_at >= spans.from_at, installations.initial_register_kwh)
                as initial_kwh,
            if(installations.to_at < spans.to_at, installations.final_register_kwh)
                as final_kwh,
            if(installations.from_at < spans.from_at, spans.register_from) as first_kwh,
            if(installations.to_at >= spans.to_at, spans.register_to) as last_kwh,
            filter(
                spans.falls,
                fall -> fall.from_at > installations.from_at
                and fall.to_at <= installations.to_at
            ) as part_falls
        from spans
        inner join {{ installations }} as installations
            on
                spans.device_id = installations.device_id
                and spans.from_at <= installations.to_at
                and spans.to_at > installations.from_at
    ),

    judged_parts as (
        -- A register that falls has rolled over if the meter can have counted so much.
        select
            *,
            cardinality(falls) as span_fall_count,
            cardinality(part_falls) as fall_count,
            cardinality(filter(
                part_falls,
                fall -> fall.from_kwh < register_modulus_kwh
                and (register_modulus_kwh - fall.from_kwh + fall.to_kwh) * meter_multiplier
                <= 1.1 * service_size_kw
                * date_diff('millisecond', fall.from_at, fall.to_at) / 3600000e0
            )) as rollover_count
        from parts
    ),

    counted_parts as (
        select
            *,
            register_modulus_kwh * rollover_count as rolled_kwh,
            coalesce(last_kwh, final_kwh) - coalesce(first_kwh, initial_kwh)
            + register_modulus_kwh * rollover_count as part_kwh,
            2 * power(1e1, -register_decimals) * meter_multiplier as tolerance_kwh
        from judged_parts
    ),

    counted as (
        select
            device_id,
            channel,
            any_value(register_from) as register_from,
            any_value(register_to) as register_to,
            any_value(slots_kwh) as slots_kwh,
            (any_value(register_to) - any_value(register_from) + sum(rolled_kwh))
            * max(meter_multiplier) as one_meter_kwh,
            if(
                count_if(part_kwh is null or part_kwh < 0) = 0,
                sum(part_kwh * meter_multiplier)
            ) as all_parts_kwh,
            max(tolerance_kwh) as one_tolerance_kwh,
            sum(tolerance_kwh) as all_tolerances_kwh,
            max(meter_multiplier) as meter_multiplier,
            any_value(estimate_count) as estimate_count,
            sum(rollover_count) as rollover_count,
            sum(fall_count) as fall_count,
            -- Master data changes without an exchange too: the register then goes on.
            count(initial_kwh) + count(final_kwh) = 0
            and max(span_fall_count) = sum(fall_count)
            and min(meter_multiplier) = max(meter_multiplier) as is_one_meter,
            from_at,
            any_value(to_at) as to_at
        from counted_parts
        group by device_id, channel, from_at
    ),

    measured as (
        select
            *,
            case
                when fall_count > rollover_count then null
                when is_one_meter then one_meter_kwh
                else all_parts_kwh
            end as delta_kwh,
            cast(
                if(is_one_meter, one_tolerance_kwh, all_tolerances_kwh) as decimal(18, 6)
            ) as tolerance_kwh
        from counted
    ),

    compared as (
        select
            *,
            slots_kwh - delta_kwh as difference_kwh,
            cast(slots_kwh as double) / nullif(cast(delta_kwh as double), 0) as ratio,
            coalesce(
                estimate_count = 0 and abs(slots_kwh - delta_kwh) > tolerance_kwh, false
            ) as is_different
        from measured
    )

    select
        device_id,
        channel,
        case
            when fall_count > rollover_count then 'RESET'
            when not is_one_meter then 'EXCHANGE'
            when rollover_count > 0 then 'ROLLOVER'
            when estimate_count > 0 then 'ESTIMATES_INSIDE'
            when is_different then 'MISMATCH'
            else 'OK'
        end as status,
        case
            when not is_different then null
            when
                meter_multiplier > 1
                and (
                    ratio * meter_multiplier between 0.97 and 1.03
                    or ratio / meter_multiplier between 0.97 and 1.03
                )
                then 'MULTIPLIER'
            when
                ratio * 1000 between 0.97 and 1.03
                or ratio / 1000 between 0.97 and 1.03
                then 'UNIT'
            when difference_kwh < 0 then 'ENERGY_LOST'
            else 'ENERGY_EXTRA'
        end as cause,
        register_from,
        register_to,
        -- A register of twelve digits times its multiplier is too long to show.
        try_cast(delta_kwh as decimal(18, 6)) as delta_kwh,
        cast(slots_kwh as decimal(18, 6)) as slots_kwh,
        try_cast(difference_kwh as decimal(18, 6)) as difference_kwh,
        tolerance_kwh,
        ratio,
        from_at,
        to_at
    from compared
{%- endmacro %}

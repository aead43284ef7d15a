{% macro meter_readings_of(messages, periods, load_id=none) -%}
    with measured as (
        select
            messages.*,
            periods.customer_id as owner_id,
            periods.transformer_id,
            periods.time_zone,
            periods.interval_minutes,
            messages.customer_id is distinct from periods.customer_id
                as is_customer_mismatch,
            {{ measured_day('messages', 'periods') }} as local_date
        from {{ messages }} as messages
        inner join {{ periods }} as periods on {{ in_period('messages', 'periods') }}
    ),

    arrived as (
        -- All windows have one order: one sort serves them all. Their frames only grow or
        -- are the whole, so that a message sent ten thousand times costs no more than others.
        select
            *,
            {{ superseded_by('ones_before') }} as is_superseded
        from measured
        window
            in_order as (
                partition by device_id, reading_at
                order by kafka_at, kafka_partition, kafka_offset, batch_id
            ),
            ones_before as (
                in_order rows between unbounded preceding and 1 preceding
            )
    ),

    compared as (
        -- With the one before it that counted when it came. What was superseded when
        -- it came never counted: so the newest of the others ranks highest.
        select
            *,
            not is_superseded
            and count_if(not is_superseded) over up_to_it
            = count_if(not is_superseded) over whole_reading as is_newest,
            not is_superseded
            and {{ measured_values() }}
            is distinct from
            lag(if(not is_superseded, {{ measured_values() }})) ignore nulls
                over in_order as is_changed,
            count(*) over whole_reading as version_count,
            count_if(is_superseded) over whole_reading as superseded_count,
            max(batch_id) over whole_reading as last_batch_id,
            max(landed_at) over whole_reading as last_landed_at,
            map_keys(histogram(local_date) over whole_reading) as local_dates
        from arrived
        window
            in_order as (
                partition by device_id, reading_at
                order by kafka_at, kafka_partition, kafka_offset, batch_id
            ),
            up_to_it as (
                in_order rows between unbounded preceding and current row
            ),
            whole_reading as (
                in_order range between unbounded preceding and unbounded following
            )
    ),

    counted as (
        -- The first message of a reading has none before it, which is no correction.
        select
            *,
            count_if(is_changed) over (
                partition by device_id, reading_at
                order by kafka_at, kafka_partition, kafka_offset, batch_id
                range between unbounded preceding and unbounded following
            ) - 1 as correction_count
        from compared
    )

    select
        counted.device_id,
        counted.owner_id as customer_id,
        counted.transformer_id,
        counted.time_zone,
        counted.status,
        counted.quality_in,
        counted.energy_kwh,
        counted.voltage,
        counted.battery_pct,
        counted.register_kwh,
        counted.export_kwh,
        counted.register_export_kwh,
        counted.interval_s,
        counted.interval_minutes,
        counted.quality_rank,
        counted.revision,
        counted.version_count,
        counted.version_count - 1 - counted.correction_count
        - counted.superseded_count as duplicate_count,
        counted.correction_count,
        counted.superseded_count,
        counted.status != 'OK' as is_warning,
        counted.is_customer_mismatch,
        counted.is_old,
        counted.kafka_partition,
        counted.kafka_offset,
        counted.last_batch_id as batch_id,
        {%- if load_id %}
        {{ load_id }} as load_id,
        {%- endif %}
        counted.local_date as reading_date,
        array_sort(counted.local_dates) as version_dates,
        counted.reading_at,
        counted.kafka_at,
        counted.last_landed_at as landed_at
    from counted
    where counted.is_newest
{%- endmacro %}

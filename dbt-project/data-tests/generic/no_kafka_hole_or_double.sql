{% test no_kafka_hole_or_double(model) %}
    -- Offsets of a partition follow one another, but for those that hold no message and for losses
    -- the lander has recorded. The first may be any, retention moves it.
    with held as (
        select
            kafka_topic_id,
            kafka_partition,
            count(*) as row_count,
            count(distinct kafka_offset) as offset_count,
            min(kafka_offset) as first_offset,
            max(kafka_offset) as last_offset,
            coalesce(sum(kafka_skipped), 0)
            - coalesce(min_by(kafka_skipped, kafka_offset), 0) as skipped_count
        from {{ model }}
        group by kafka_topic_id, kafka_partition
    ),

    losses as (
        select
            json_extract_scalar(loss, '$.topic_id') as kafka_topic_id,
            cast(json_extract_scalar(loss, '$.partition') as integer) as kafka_partition,
            cast(json_extract_scalar(loss, '$.first') as bigint) as first_offset,
            cast(json_extract_scalar(loss, '$.last') as bigint) as last_offset
        from {{ api.Relation.create(
            database=model.database,
            schema=model.schema,
            identifier=model.identifier ~ '$properties'
        ) }}
        cross join unnest(cast(json_parse(value) as array(json))) as recorded (loss)
        where key = 'meterhouse.lost'
    ),

    lost as (
        -- Only what lies within the rows; one without a last is after them.
        select
            held.kafka_topic_id,
            held.kafka_partition,
            sum(
                greatest(
                    least(losses.last_offset, held.last_offset)
                    - greatest(losses.first_offset, held.first_offset) + 1,
                    0
                )
            ) as lost_count
        from held
        inner join losses
            on
                held.kafka_partition = losses.kafka_partition
                and held.kafka_topic_id = coalesce(losses.kafka_topic_id, held.kafka_topic_id)
        group by held.kafka_topic_id, held.kafka_partition
    )

    select held.*, lost.lost_count
    from held
    left join lost
        on
            held.kafka_topic_id = lost.kafka_topic_id
            and held.kafka_partition = lost.kafka_partition
    where
        held.row_count != held.offset_count
        or held.row_count + held.skipped_count + coalesce(lost.lost_count, 0)
        < held.last_offset - held.first_offset + 1
{% endtest %}

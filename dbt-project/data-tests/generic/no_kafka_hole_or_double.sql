{% test no_kafka_hole_or_double(model) %}
    -- Offsets of a partition follow one another, but for losses the lander has recorded. The
    -- first may be any, retention moves it.
    with losses as (
        select loss
        from {{ api.Relation.create(
            database=model.database,
            schema=model.schema,
            identifier=model.identifier ~ '$properties'
        ) }}
        cross join unnest(cast(json_parse(value) as array(json))) as recorded (loss)
        where key = 'meterhouse.lost'
    ),

    lost as (
        select
            cast(json_extract_scalar(loss, '$.partition') as integer) as kafka_partition,
            sum(
                cast(json_extract_scalar(loss, '$.last') as bigint)
                - cast(json_extract_scalar(loss, '$.first') as bigint) + 1
            ) as lost_count
        from losses
        where json_extract_scalar(loss, '$.reason') = 'retention'
        group by 1
    ),

    held as (
        select
            kafka_topic_id,
            kafka_partition,
            count(*) as row_count,
            count(distinct kafka_offset) as offset_count,
            max(kafka_offset) - min(kafka_offset) + 1 as offset_span
        from {{ model }}
        group by kafka_topic_id, kafka_partition
    )

    select held.*, lost.lost_count
    from held
    left join lost on held.kafka_partition = lost.kafka_partition
    where
        held.row_count != held.offset_count
        or held.row_count + coalesce(lost.lost_count, 0) < held.offset_span
{% endtest %}

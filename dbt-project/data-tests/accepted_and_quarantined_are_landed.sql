-- Every landed message that the models dealt with stands in staging or in quarantine,
-- and in one of them once. Returns the messages that do not.
{{ config(tags=['expensive']) }}

with landed as (
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset
    from {{ source('landing', 'telemetry_raw') }}
    where {{ processed_through(ref('quarantine_telemetry_raw')) }}
),

dealt_with as (
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset
    from {{ ref('stg_telemetry_raw') }}
    where {{ processed_through(ref('quarantine_telemetry_raw')) }}
    union all
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset
    from {{ ref('quarantine_telemetry_raw') }}
),

counted as (
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset,
        1 as landed_count,
        0 as dealt_with_count
    from landed
    union all
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset,
        0 as landed_count,
        1 as dealt_with_count
    from dealt_with
)

select
    kafka_topic_id,
    kafka_partition,
    kafka_offset,
    sum(landed_count) as landed_count,
    sum(dealt_with_count) as dealt_with_count
from counted
group by kafka_topic_id, kafka_partition, kafka_offset
having sum(landed_count) != 1 or sum(dealt_with_count) != 1

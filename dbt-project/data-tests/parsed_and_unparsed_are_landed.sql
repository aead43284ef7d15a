-- Every log line that the models dealt with is one row, read or not. Returns the lines
-- that are missing or duplicated.
{{ config(tags=['expensive']) }}

with counted as (
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset,
        1 as landed_count,
        0 as staged_count
    from {{ source('landing', 'meter_logs') }}
    where {{ processed_through(ref('stg_meter_health_logs')) }}
    union all
    select
        kafka_topic_id,
        kafka_partition,
        kafka_offset,
        0 as landed_count,
        1 as staged_count
    from {{ ref('stg_meter_health_logs') }}
    where parse_status in ('PARSED', 'UNPARSED')
)

select
    kafka_topic_id,
    kafka_partition,
    kafka_offset,
    sum(landed_count) as landed_count,
    sum(staged_count) as staged_count
from counted
group by kafka_topic_id, kafka_partition, kafka_offset
having sum(landed_count) != 1 or sum(staged_count) != 1

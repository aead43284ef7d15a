-- The rules of docs/rules.md once more, from the messages that were sent. Meters' days are those of
-- UTC, each meter's interval is half an hour, and every reading was sent once.
with meters as (
    select * from read_json($meters, columns = {
        device_id: 'varchar', service_size_kw: 'decimal(9, 2)', multiplier: 'int'
    })
),
readings as (
    select
        sent.device_id,
        sent.timestamp - interval 30 minute as from_at,
        (sent.metrics ->> 'energy_kwh')::decimal(18, 6) as kwh,
        meters.multiplier,
        kwh * 2 / meters.service_size_kw as load_of_service
    from read_json($messages, columns = {
        device_id: 'varchar', timestamp: 'timestamptz', metrics: 'json'
    }) as sent
    inner join meters using (device_id)
    -- More than ten times what the service can carry is not accepted.
    where abs(kwh) <= 10 * meters.service_size_kw / 2
),
days as (
    select device_id, multiplier, date_trunc('day', from_at) as day, sum(kwh) as kwh, count(*) as n
    from readings
    group by all
),
ratios as (
    select day.device_id, day.multiplier, day.day, day.kwh / median(before.kwh) as ratio
    from days as day
    inner join days as before
        on day.device_id = before.device_id
        and before.day < day.day and day.day <= before.day + interval 28 day
    where day.n >= 20
    group by day.device_id, day.multiplier, day.day, day.kwh
    having count(*) >= 14 and median(before.kwh) > 0
)
select 'R06' as rule, 'NEGATIVE' as cause, 'hard' as severity, device_id, epoch(from_at) as from_s
from readings where kwh < 0
union all
select 'R07', 'SERVICE_LIMIT', if(load_of_service > 3, 'hard', 'soft'), device_id, epoch(from_at)
from readings where load_of_service > 1.1
union all
select 'R15', 'WH_AS_KWH', 'hard', device_id, epoch(day)
from ratios where ratio >= 400 and ratio <= 2500
union all
select 'R15', 'MWH_AS_KWH', 'hard', device_id, epoch(day)
from ratios where ratio >= 1 / 2500 and ratio <= 1 / 400
union all
select 'R16', 'MULTIPLIER_MISSED', 'hard', device_id, epoch(day)
from ratios where multiplier > 1 and abs(ratio * multiplier - 1) <= 0.03
union all
select 'R16', 'MULTIPLIED_TWICE', 'hard', device_id, epoch(day)
from ratios where multiplier > 1 and abs(ratio / multiplier - 1) <= 0.03

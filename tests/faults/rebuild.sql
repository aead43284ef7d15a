-- The daily marts of a few meters made from scratch by DuckDB, from what the broker acknowledged.
-- A second telling of the rules, from docs and interfaces; nothing here is taken from the models.
-- Inputs: message(part, pos, came_at, body), event(meter, kind, said_at, came_at), clock(now), meter(...),
-- stay(meter, place, minutes, came_at, left_at), place(id, zone, since), contract(place, customer_id,
-- first_day, day_after).

-- Whole numbers of the smallest unit, rounded half up; nothing below is negative.
create macro nearest(total, parts) as ((2 * total + parts) // (2 * parts))::bigint;
-- A number of the message; null for what is none.
create macro number_at(body, path) as
    if(json_type(body, path) in ('DOUBLE', 'UBIGINT', 'BIGINT'), (body ->> path)::double, null);
create macro hundredths(value) as (value / 100.0)::decimal(5, 2);

create table fault (kind varchar, is_major boolean, ended_by varchar, days integer);
insert into fault values
('POWER_FAILURE', true, 'POWER_RETURNED', 30),
('TERMINAL_COVER_REMOVED', true, null, 30),
('BATTERY_VOLTAGE_LOW', false, null, 30),
('COMMUNICATION_LOST', false, null, 1);

-- How far a word on the value is to be trusted; nothing said, or a strange word, is a measured value.
create table trust (word varchar, points integer);
insert into trust values
('EDITED', 6), ('A', 5), ('ACTUAL', 5), ('F', 4), ('FINAL', 4), ('FINAL_SUBSTITUTE', 4), ('S', 3),
('SUBSTITUTE', 3), ('SUBSTITUTED', 3), ('E', 2), ('ESTIMATE', 2), ('ESTIMATED', 2), ('N', 1),
('NULL', 1);

-- A length of nothing is that of a moment, which is over a microsecond before its time.
create macro begun(ended_at, seconds) as (
    ended_at - to_microseconds(greatest((seconds * 1000000)::bigint, 1))
);

-- A meter is at a place until it is at the next one; once it has left, nobody pays for it. What it
-- measured before it came to the first, it measured there.
create table whereabouts as
select
    *,
    lead(came_at, 1, 'infinity') over (partition by meter order by came_at) as next_at
from stay;

-- A message counts if it is an object that names a meter, a time and an energy, and those are possible.
-- Whatever else it should say and does not, or not possibly, is not known.
create table said as
select
    m.part,
    m.pos,
    m.came_at,
    d.id as meter,
    m.body ->> '$.customer_id' as named,
    if(json_type(m.body, '$.status') = 'VARCHAR', upper(trim(m.body ->> '$.status')), null)
        as status,
    (m.body ->> '$.metrics.energy_kwh')::decimal(18, 6) as kwh,
    if(volts between d.nominal_v * 0.5 and d.nominal_v * 1.5, volts::decimal(9, 3), null) as volts,
    if(battery between 0 and 100, battery::decimal(5, 2), null) as battery,
    -- A register shows no more than twelve digits.
    if(dial between 0 and 999999999999, dial::decimal(18, 6), null) as dial,
    (m.body ->> '$.timestamp')::timestamptz as measured_at,
    seconds::decimal(12, 3) as seconds,
    coalesce(t.points, 5) as points,
    coalesce(if(json_type(m.body, '$.revision') in ('UBIGINT', 'BIGINT'), (m.body ->> '$.revision')::bigint, null), 0)
        as revision
from (
    select
        *,
        number_at(body, '$.metrics.voltage') as volts,
        number_at(body, '$.metrics.battery_pct') as battery,
        number_at(body, '$.metrics.register_kwh') as dial,
        -- No meter measures for less than nothing or more than a leap year.
        if(
            number_at(body, '$.metrics.interval_s') between 0 and 366 * 86400,
            number_at(body, '$.metrics.interval_s'),
            null
        ) as seconds
    from message
    where
        -- DuckDB reads what is no JSON only if nobody asks it to.
        case
            when body is null or not json_valid(body) then false
            else
                json_type(body) = 'OBJECT'
                and coalesce(json_type(body, '$.device_id') = 'VARCHAR', false)
                and coalesce(json_type(body, '$.timestamp') = 'VARCHAR', false)
                and number_at(body, '$.metrics.energy_kwh') is not null
        end
) as m
inner join meter as d on m.body ->> '$.device_id' = d.id
left join trust as t
    on
        json_type(m.body, '$.quality') = 'VARCHAR'
        and regexp_replace(upper(trim(m.body ->> '$.quality')), '[ -]+', '_', 'g') = t.word
where
    -- An interval that is not told may have been a whole day; no meter measures less than its own.
    abs((m.body ->> '$.metrics.energy_kwh')::double) <= d.service_kw * 10 * case
        when seconds is null then 24
        else greatest(seconds / 3600, d.minutes / 60)
    end
    and (m.body ->> '$.timestamp')::timestamptz <= m.came_at + interval 5 minutes
    and (m.body ->> '$.timestamp')::timestamptz >= m.came_at - interval 10 years;

-- What a reading measured lies before its time. It counts where the meter was when that began, for who
-- had the place, on the day that it was there. One that does not say how long it measured, did so for
-- as long as the meter does there: the earliest place by which it began before the meter left for the
-- next is the one.
create table placed as
with begun_there as (
    select
        s.*,
        w.place,
        w.minutes,
        w.left_at,
        begun(s.measured_at, coalesce(s.seconds, w.minutes * 60)) as begun_at,
        greatest(begun_at, w.came_at) as valued_at,
        begun_at >= coalesce(w.left_at, 'infinity') as is_gone
    from said as s
    inner join whereabouts as w on s.meter = w.meter
    where begun(s.measured_at, coalesce(s.seconds, w.minutes * 60)) < w.next_at
    qualify
        row_number() over (partition by s.part, s.pos order by w.came_at) = 1
),

zoned as (
    -- The first thing known of a place was so before.
    select
        b.*,
        p.zone
    from begun_there as b
    inner join place as p on b.place = p.id
    qualify
        row_number() over (
            partition by b.part, b.pos
            order by p.since <= least(b.valued_at, coalesce(b.left_at, 'infinity')) desc,
            case when p.since <= least(b.valued_at, coalesce(b.left_at, 'infinity')) then p.since end desc,
            p.since
        ) = 1
)

select
    z.* exclude (place, left_at, begun_at, valued_at, is_gone, named),
    (z.begun_at at time zone z.zone)::date as local_day,
    c.customer_id,
    z.named is distinct from c.customer_id as is_strange_customer
from zoned as z
left join contract as c
    on
        not z.is_gone
        and z.place = c.place
        and (z.valued_at at time zone z.zone)::date >= c.first_day
        and (z.valued_at at time zone z.zone)::date < coalesce(c.day_after, 'infinity');

-- The most trusted word on a moment counts, of those the highest revision, of those the newest. What
-- comes after a better word is too late; else a word like the last one in time is a duplicate.
create table heard as
select
    s.*,
    exists (
        select 1 from placed as b
        where
            b.meter = s.meter
            and b.measured_at = s.measured_at
            and (b.came_at, b.part, b.pos) < (s.came_at, s.part, s.pos)
            and (b.points > s.points or (b.points = s.points and b.revision > s.revision))
    ) as is_too_late
from placed as s;

create table measured as
with told as (
    select
        *,
        not is_too_late
        and (kwh, volts, battery, dial, status, seconds, points) is distinct from
        lag((kwh, volts, battery, dial, status, seconds, points)) over moment as is_news,
        row_number() over (
            partition by meter, measured_at
            order by points desc, revision desc, came_at desc, part desc, pos desc
        ) as age
    from heard
    window moment as (
        partition by meter, measured_at, is_too_late order by came_at, part, pos
    )
)

select
    meter,
    measured_at,
    max(customer_id) filter (where age = 1) as customer_id,
    max(local_day) filter (where age = 1) as local_day,
    count(*) filter (where not is_too_late and not is_news) as duplicates,
    count(*) filter (where is_news) - 1 as corrections,
    count(*) filter (where is_too_late) as late_words,
    max(status) filter (where age = 1) as status,
    max(kwh) filter (where age = 1) as kwh,
    max(volts) filter (where age = 1) as volts,
    max(battery) filter (where age = 1) as battery,
    max(dial) filter (where age = 1) as dial,
    max(seconds) filter (where age = 1) as seconds,
    max(minutes) filter (where age = 1) as minutes,
    max(zone) filter (where age = 1) as zone,
    max(points) filter (where age = 1) as points,
    bool_or(is_strange_customer) filter (where age = 1) as is_strange_customer
from told
group by meter, measured_at;

create table meter_day as
select
    meter,
    local_day,
    -- Who had it last on that day.
    max_by(customer_id, measured_at) filter (where customer_id is not null) as customer_id,
    sum(kwh) as kwh,
    nearest((sum(volts) * 1000)::hugeint, count(volts)) as millivolts,
    count(volts) as volt_readings,
    min(volts) as lowest,
    max(volts) as highest,
    nearest((sum(battery) * 100)::hugeint, count(battery)) as battery_hundredths,
    max_by(battery, measured_at) filter (where battery is not null) as last_battery,
    count(*) as readings,
    count(*) filter (where status = 'OK') as fine,
    count(*) filter (where status <> 'OK') as warnings,
    sum(duplicates)::bigint as duplicates,
    sum(corrections)::bigint as corrections,
    sum(late_words)::bigint as late_words,
    count(*) filter (where is_strange_customer) as strange_customers,
    min(measured_at) as first_at,
    max(measured_at) as last_at,
    -- More than one warning in ten readings; one without a status is neither fine nor a warning.
    case
        when count(*) filter (where status <> 'OK') * 10 > count(*) then 'UNHEALTHY'
        when count(*) filter (where status <> 'OK') > 0 then 'DEGRADED'
        else 'HEALTHY'
    end as state
from measured
group by meter, local_day;

create table device_daily_metrics as
select
    meter as device_id,
    customer_id,
    local_day as reading_date,
    kwh::decimal(18, 6) as total_energy_kwh,
    (millivolts / 1000.0)::decimal(9, 3) as avg_voltage,
    lowest as min_voltage,
    highest as max_voltage,
    hundredths(battery_hundredths) as avg_battery_pct,
    last_battery as last_battery_pct,
    readings as reading_count,
    volt_readings as voltage_count,
    fine as ok_count,
    warnings as warning_count,
    duplicates as duplicate_count,
    corrections as correction_count,
    late_words as superseded_count,
    strange_customers as customer_mismatch_count,
    hundredths(nearest(10000 * fine, readings)) as health_score_pct,
    state as device_health_status,
    first_at as first_reading_at,
    last_at as last_reading_at
from meter_day;

create table customer_usage_summary as
select
    customer_id,
    local_day as reading_date,
    sum(kwh)::decimal(18, 6) as total_energy_kwh,
    (nearest(sum(millivolts * volt_readings), sum(volt_readings)) / 1000.0)::decimal(9, 3)
        as avg_voltage,
    count(*) as active_device_count,
    sum(readings)::bigint as reading_count,
    sum(warnings)::bigint as total_warnings,
    hundredths(nearest(sum(nearest(10000 * fine, readings)), count(*)))
        as avg_device_health,
    case
        when bool_or(state = 'UNHEALTHY') then 'ACTION_REQUIRED'
        when bool_or(state = 'DEGRADED') then 'MONITOR'
        else 'NORMAL'
    end as customer_alert_status
from meter_day
where customer_id is not null
group by customer_id, local_day;

-- The health of a few meters, made by DuckDB from what the files before it found.
-- A second telling of the rules, from docs; nothing here is taken from the models.

-- A fault is open until what ends it comes, or it is forgotten; a wrong clock is not believed.
create table open_fault as
with happened as (
    select
        meter,
        kind,
        max(
            case
                when
                    said_at between came_at - interval 40 days and came_at + interval 5 minutes
                    then said_at
                else came_at
            end
        ) as last_at
    from event
    group by meter, kind
)

select
    h.meter,
    count(*) as faults,
    bool_or(f.is_major) as is_major,
    min(h.last_at) as since,
    string_agg(h.kind, ', ' order by h.kind) as names
from happened as h
inner join fault as f on h.kind = f.kind
cross join clock
where
    h.last_at > clock.now - f.days * interval 1 day
    and not exists (
        select 1 from happened as e
        where e.meter = h.meter and e.kind = f.ended_by and e.last_at >= h.last_at
    )
group by h.meter;

create table week as
select
    d.meter,
    max_by(d.state, d.local_day) as state,
    max_by(d.warnings, d.local_day) as warnings,
    max_by(nearest(10000 * d.fine, d.readings), d.local_day) as share,
    nearest(10000 * sum(d.fine)::bigint, sum(d.readings)::bigint) as week_share,
    max_by(d.last_battery, d.local_day) filter (where d.last_battery is not null) as battery,
    sum(d.warnings)::bigint as week_warnings,
    max_by(d.first_at, d.local_day) as day_since,
    min(d.first_at) filter (where d.last_battery < 20) as low_since,
    case
        when count(d.battery_hundredths) > 1
            then regr_slope(d.battery_hundredths / 100.0, epoch(d.local_day) / 86400)
    end as slope
from meter_day as d
cross join clock
where d.local_day > (clock.now at time zone 'UTC')::date - 7
group by d.meter;

-- What ended more than six hours ago should be there. The 24 hours before that say how much of it is.
create table gap as
select
    w.meter,
    count(*) as wanted,
    count(*) filter (where s.code is null) as missing,
    min(w.since) filter (where s.code is null) as since
from wanted as w
cross join clock
left join slot as s
    on w.meter = s.meter and w.since = s.slot_since and w.local_day = s.local_day
where
    w.till <= epoch_us(clock.now) - 6 * 3600000000
    and w.till > epoch_us(clock.now) - 30 * 3600000000
group by w.meter
-- Of a meter that is hardly there yet nothing is said.
having sum(w.slot_us) >= 6 * 3600000000;

create table device_health_status as
with known as (
    select
        m.id,
        m.customer_id,
        coalesce(w.state, 'HEALTHY') as state,
        coalesce(w.warnings, 0) as warnings,
        coalesce(w.week_warnings, 0) as week_warnings,
        hundredths(w.share) as share,
        hundredths(w.week_share) as week_share,
        w.slope,
        -- A charge that the last reading lacks is the newest one of the week.
        coalesce(l.battery, w.battery) as battery,
        l.measured_at as seen_at,
        coalesce(f.faults, 0) as faults,
        coalesce(f.is_major, false) as is_major,
        coalesce(f.names, '') as names,
        l.measured_at is null as is_never_seen,
        coalesce(l.measured_at < clock.now - 12 * m.minutes * interval 1 minute, false) as is_silent,
        coalesce(coalesce(l.battery, w.battery) < 20, false) as is_low,
        a.came_at,
        w.day_since,
        coalesce(w.low_since, l.measured_at) as low_since,
        f.since as fault_since,
        g.wanted,
        g.missing,
        make_timestamptz(g.since) as gap_since
    from meter as m
    cross join clock
    left join week as w on m.id = w.meter
    left join open_fault as f on m.id = f.meter
    left join gap as g on m.id = g.meter
    left join whereabouts as a on m.id = a.meter and a.left_at is null
    left join (
        select * from measured
        qualify row_number() over (partition by meter order by measured_at desc) = 1
    ) as l on m.id = l.meter
),

reason as (
    -- What was never there, or says nothing any more, is not said to lack readings as well.
    select
        *,
        list_filter(
            [
                (1, 'never seen', if(is_never_seen, came_at, null)),
                (2, 'silent', if(is_silent, seen_at, null)),
                (if(is_major, 3, 9), 'open faults: ' || names, if(faults > 0, fault_since, null)),
                (
                    if(state = 'UNHEALTHY', 4, 6),
                    lower(state) || ' day',
                    if(state <> 'HEALTHY', day_since, null)
                ),
                (
                    if(missing * 2 > wanted, 5, 7),
                    'missing readings: ' || missing || ' of ' || wanted,
                    if(
                        missing * 10 > wanted and not is_never_seen and not is_silent,
                        gap_since,
                        null
                    )
                ),
                (8, 'low battery', if(is_low, low_since, null))
            ],
            lambda each: each[3] is not null
        ) as reasons
    from known
)

select
    id as device_id,
    customer_id,
    case
        when len(reasons) = 0 then 'HEALTHY'
        when list_min(list_transform(reasons, lambda each: each[1])) <= 5 then 'UNHEALTHY'
        else 'DEGRADED'
    end as device_health_status,
    array_to_string(
        list_transform(list_sort(reasons), lambda each: each[2]), '; '
    ) as reasons,
    names as open_faults,
    share as health_score_pct,
    week_share as week_health_score_pct,
    hundredths(nearest(10000 * (wanted - missing), wanted)) as completeness_pct,
    battery as battery_pct,
    slope as battery_trend_pct_per_day,
    warnings as warning_count,
    week_warnings as week_warning_count,
    faults as open_fault_count,
    coalesce(missing, 0) as missing_count,
    list_transform(list_sort(reasons), lambda each: each[3]) as reasons_since,
    seen_at as last_seen_at
from reason;

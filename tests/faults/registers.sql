-- Whether registers agree with readings, made from scratch by DuckDB after rebuild.sql.
-- Told by pairs of register reads, each judged by itself; a span is the pairs that end on one UTC day.

-- How long each installation is taken to have lasted: until the next one, the first one since ever.
create table tenure as
select
    meter,
    case when lag(came_at) over by_time is null then '-infinity' else came_at end as since,
    lead(came_at, 1, 'infinity') over by_time as until
from stay
window by_time as (partition by meter order by came_at);

create table register_pair as
with pairs as (
    select
        meter,
        lag(measured_at) over by_time as from_at,
        measured_at as to_at,
        lag(dial) over by_time as dial_before,
        dial,
        ((measured_at - to_microseconds(1)) at time zone 'UTC')::date as ended_on
    from measured
    where dial is not null
    window by_time as (partition by meter order by measured_at)
)

select
    p.*,
    d.multiplier,
    p.dial < p.dial_before as is_fall,
    -- Nobody knows what the two registers showed when one came for the other.
    p.dial < p.dial_before and exists (
        select 1 from tenure as t
        where t.meter = p.meter and p.from_at <= t.until and p.to_at > t.until
    ) as is_exchange,
    case
        when p.dial >= p.dial_before then p.dial - p.dial_before
        -- Through the highest number and zero, if the service can have carried as much.
        when
            p.dial_before < 10 ** d.digits
            and (10 ** d.digits - p.dial_before + p.dial) * d.multiplier
            <= d.service_kw * 1.1 * epoch(p.to_at - p.from_at) / 3600
            then (10 ** d.digits)::bigint - p.dial_before + p.dial
    end as advance
from pairs as p
inner join meter as d on p.meter = d.id
where p.from_at is not null;

create table register_span as
select
    meter,
    min(from_at) as from_at,
    max(to_at) as to_at,
    min_by(dial_before, from_at) as dial_before,
    max_by(dial, to_at) as dial,
    any_value(multiplier) as multiplier,
    bool_or(is_fall) as has_fall,
    bool_or(is_exchange) as has_exchange,
    bool_or(advance is null and not is_exchange) as is_reset,
    case when count(*) = count(advance) and not bool_or(is_exchange) then sum(advance) * any_value(multiplier) end as counted
from register_pair
group by meter, ended_on;

create table register_reconciliation as
with compared as (
    select
        s.*,
        (select sum(m.kwh) from measured as m
            where m.meter = s.meter and m.measured_at > s.from_at and m.measured_at <= s.to_at
        )::decimal(18, 6) as kwh,
        exists (
            select 1 from measured as m
            where
                m.meter = s.meter and m.points < 5
                and m.measured_at > s.from_at and m.measured_at <= s.to_at
        ) as has_estimates,
        -- Each register is read as exactly as its decimals say.
        (0.002 * s.multiplier * if(
            s.has_exchange,
            (select count(*) from tenure as t
                where t.meter = s.meter and s.from_at <= t.until and s.to_at > t.since),
            1
        ))::decimal(18, 6) as tolerance
    from register_span as s
),

judged as (
    select
        *,
        kwh::double / nullif(counted::double, 0) as quotient,
        counted is not null and not has_estimates and abs(kwh - counted) > tolerance as is_off
    from compared
)

select
    meter as device_id,
    'IMPORT' as channel,
    case
        when is_reset then 'RESET'
        when has_exchange then 'EXCHANGE'
        when has_fall then 'ROLLOVER'
        when has_estimates then 'ESTIMATES_INSIDE'
        when is_off then 'MISMATCH'
        else 'OK'
    end as status,
    case
        when not is_off then null
        when multiplier > 1 and (
            abs(quotient * multiplier - 1) <= 0.03 or abs(quotient / multiplier - 1) <= 0.03
        ) then 'MULTIPLIER'
        when abs(quotient * 1000 - 1) <= 0.03 or abs(quotient / 1000 - 1) <= 0.03 then 'UNIT'
        when kwh < counted then 'ENERGY_LOST'
        else 'ENERGY_EXTRA'
    end as cause,
    dial_before as register_from,
    dial as register_to,
    counted::decimal(18, 6) as delta_kwh,
    kwh as slots_kwh,
    (kwh - counted)::decimal(18, 6) as difference_kwh,
    tolerance as tolerance_kwh,
    quotient as ratio,
    from_at,
    to_at
from judged;

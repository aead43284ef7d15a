-- The slots and days of energy of a few meters, made by DuckDB from what rebuild.sql found measured.
-- A second telling of the rules, from docs; nothing here is taken from the models.

-- Stretches of time are told in microseconds.
-- Where midnight comes twice, DuckDB takes the second; the day began an hour before it.
create macro midnight(local_day, zone) as (
    epoch_us(local_day::timestamp at time zone zone) - if(
        (((local_day::timestamp at time zone zone) - interval 1 hour) at time zone zone)::date
        = local_day,
        3600000000,
        0
    )
);

create table stretch as
select
    meter,
    zone,
    points,
    (kwh * 1000000)::hugeint as milliwatthours,
    epoch_us(begun(measured_at, coalesce(seconds, minutes * 60))) as since,
    epoch_us(measured_at) as till,
    -- Measured at a moment, it fills no time.
    coalesce(seconds, minutes * 60) > 0 as is_long,
    (coalesce(seconds, minutes * 60) * 1000000)::bigint as measured_us,
    minutes * 60000000::bigint as usual_us,
    -- Meters of five or ten minutes have slots of thirty.
    case minutes when 15 then 15 when 60 then 60 else 30 end * 60000000::bigint as slot_us
from measured
-- What says that it is no value is none.
where points > 1;

create macro together(a, b) as (least(a.till, b.till) - greatest(a.since, b.since));

create table clash as
select
    a.meter,
    a.till,
    a.since,
    a.points,
    b.till as other_till,
    b.since as other_since,
    b.points as other_points
from stretch as a
inner join stretch as b
    on a.meter = b.meter and a.till <> b.till and together(a, b) >= 1000000;

-- Out is what a better one meets, and what shorter ones of its kind tell in full.
create table outdone as
select distinct meter, till from clash
where other_points > points
union
select meter, till from (
    select
        meter,
        till,
        till - since as length,
        greatest(
            0,
            least(other_till, till) - greatest(
                other_since,
                since,
                coalesce(
                    max(least(other_till, till)) over (
                        partition by meter, till
                        order by greatest(other_since, since), other_till
                        rows between unbounded preceding and 1 preceding
                    ),
                    since
                )
            )
        ) as fresh
    from clash
    where other_points = points and other_till - other_since < till - since
)
group by meter, till
having sum(fresh) > any_value(length) - 1000000;

create table standing as
select
    *,
    (since - midnight((make_timestamptz(since) at time zone zone)::date, zone)) % slot_us = 0
        as is_on_grid
from stretch as s
where not exists (select 1 from outdone as o where o.meter = s.meter and o.till = s.till);

-- Of what is left the longer one counts, of equal ones the one on the grid, of these the earlier.
create table taken as
select a.* from standing as a
where not exists (
    select 1 from standing as b
    where
        b.meter = a.meter
        and b.till <> a.till
        and together(a, b) >= 1000000
        and (
            b.till - b.since > a.till - a.since
            or (
                b.till - b.since = a.till - a.since
                and (
                    (b.is_on_grid and not a.is_on_grid)
                    or (b.is_on_grid = a.is_on_grid and b.till < a.till)
                )
            )
        )
);

create table grid as
with day as (
    select distinct
        t.meter,
        t.zone,
        t.slot_us,
        unnest(generate_series(
            (make_timestamptz(t.since) at time zone t.zone)::date - 1,
            (make_timestamptz(t.till) at time zone t.zone)::date + 1,
            interval 1 day
        ))::date as local_day
    from taken as t
),

edge as (
    select
        *,
        midnight(local_day, zone) as day_since,
        midnight(local_day + 1, zone) as day_till
    from day
)

select
    meter,
    zone,
    local_day,
    slot_us,
    number,
    day_since + number * slot_us as slot_since,
    least(day_since + (number + 1) * slot_us, day_till) as slot_till
from (
    select
        *,
        unnest(generate_series(0, (day_till - day_since - 1) // slot_us)) as number
    from edge
);

create table share as
with part as (
    select
        t.*,
        g.local_day,
        g.number,
        g.slot_since,
        g.slot_till,
        greatest(t.since, g.slot_since) as part_since,
        least(t.till, g.slot_till) as part_till
    from taken as t
    inner join grid as g
        on
            t.meter = g.meter
            and t.zone = g.zone
            and t.slot_us = g.slot_us
            and t.since < g.slot_till
            and g.slot_since < t.till
),

cut as (
    select
        *,
        abs(milliwatthours) * (part_till - part_since) // (till - since) as floor,
        abs(milliwatthours) * (part_till - part_since) % (till - since) as remainder
    from part
)

select
    *,
    count(*) over reading as parts,
    sign(milliwatthours) * (
        floor + if(
            row_number() over (
                partition by meter, till order by remainder desc, slot_since
            ) <= abs(milliwatthours) - sum(floor) over reading,
            1,
            0
        )
    ) as given
from cut
window reading as (partition by meter, till);

create table slot as
with filled as (
    select
        *,
        greatest(
            0,
            part_till - greatest(
                part_since,
                coalesce(
                    max(part_till) over (
                        partition by meter, slot_since, is_long
                        order by part_since, till
                        rows between unbounded preceding and 1 preceding
                    ),
                    part_since
                )
            )
        ) as fresh
    from share
),

summed as (
    select
        meter,
        local_day,
        number,
        slot_since,
        slot_till,
        sum(given) as given,
        coalesce(sum(fresh) filter (where is_long), 0)::bigint as covered,
        count(*) as readings,
        min(points) as worst,
        max(points) as best,
        bool_or(parts > 1) as is_shared,
        -- The one that is least like the others, if no whole number of such ones makes a slot.
        max_by(measured_us, (abs(measured_us - usual_us), till)) filter (
            where measured_us <> usual_us and slot_us % greatest(measured_us, 1) <> 0
        ) as odd_us
    from filled
    group by meter, local_day, number, slot_since, slot_till
)

select
    *,
    case
        -- A second at most may be missing.
        when covered <= slot_till - slot_since - 1000000 then null
        when worst < 5 then 'ESTIMATED'
        when best = 6 then 'EDITED'
        when is_shared then 'DERIVED'
        else 'VALID'
    end as code
from summed;

-- Millionths as a number of six decimals.
create macro millionths(value) as
    (value::decimal(28, 0) * 0.000001::decimal(7, 6))::decimal(18, 6);

create table int_interval_reads as
select
    meter as device_id,
    'IMPORT' as channel,
    code as quality_code,
    millionths(given) as energy_kwh,
    millionths(covered) as covered_s,
    (odd_us / 1000000.0)::decimal(12, 3) as odd_length_s,
    number as slot_number,
    readings as read_count,
    is_shared as is_disaggregated,
    local_day as local_date,
    make_timestamptz(slot_since) as slot_start_at,
    make_timestamptz(slot_till) as slot_end_at
from slot;

-- What a slot used of which a part is not known, is not known.
create table int_energy_days as
with known as (
    select
        *,
        (slot_till - slot_since) // 1000000 as seconds,
        sign(given) * nearest(abs(given) * 3600, (slot_till - slot_since) // 1000000) as demand
    from slot
    where code is not null
),

of_day as (
    select
        meter,
        local_day,
        sum(given) as given,
        max(demand) as peak,
        min(given) as least,
        count(odd_us) as odd,
        list(slot_since order by slot_since) as starts,
        count(*) filter (where code = 'VALID') as valid,
        count(*) filter (where code = 'DERIVED') as derived,
        count(*) filter (where code = 'ESTIMATED') as estimated,
        count(*) filter (where code = 'EDITED') as edited,
        sum(seconds)::bigint as seconds,
        min(slot_since) as first_slot,
        max(slot_since) as last_slot
    from known
    group by meter, local_day
),

peaked as (
    select
        k.meter,
        k.local_day,
        min(k.slot_since) as peak_since
    from known as k
    inner join of_day as d
        on k.meter = d.meter and k.local_day = d.local_day and k.demand = d.peak
    group by k.meter, k.local_day
)

select
    s.meter as device_id,
    'IMPORT' as channel,
    millionths(any_value(d.given)) as energy_kwh,
    millionths(any_value(d.peak)) as peak_kw,
    millionths(any_value(d.least)) as least_kwh,
    coalesce(any_value(d.starts), []) as slot_starts_us,
    coalesce(any_value(d.valid), 0) as valid_count,
    0 as suspect_count,
    coalesce(any_value(d.derived), 0) as derived_count,
    coalesce(any_value(d.estimated), 0) as estimated_count,
    coalesce(any_value(d.edited), 0) as edited_count,
    count(*) filter (where s.code is null) as partial_count,
    coalesce(any_value(d.odd), 0) as odd_count,
    any_value(d.seconds) as measured_s,
    s.local_day as local_date,
    make_timestamptz(any_value(p.peak_since)) as peak_at,
    make_timestamptz(any_value(d.first_slot)) as first_slot_at,
    make_timestamptz(any_value(d.last_slot)) as last_slot_at
from slot as s
left join of_day as d on s.meter = d.meter and s.local_day = d.local_day
left join peaked as p on s.meter = p.meter and s.local_day = p.local_day
group by s.meter, s.local_day;

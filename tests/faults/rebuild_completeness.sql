-- Which slots a few meters should have sent and what the rules say of those that came, made by DuckDB
-- from what rebuild.sql and rebuild_slots.sql found. A second telling, from docs; nothing is taken from
-- the models.

-- Wanted is every slot that begins while a meter is at a place, by the clock of that place. The first
-- thing known of a place was so before.
create table wanted as
with home as (
    select
        w.meter,
        p.zone,
        case w.minutes when 15 then 15 when 60 then 60 else 30 end * 60000000::bigint as slot_us,
        greatest(w.came_at, if(row_number() over known = 1, w.came_at, p.since)) as since,
        least(
            w.next_at,
            coalesce(w.left_at, 'infinity'),
            coalesce(lead(p.since) over known, 'infinity'),
            clock.now + interval 2 days
        ) as till
    from whereabouts as w
    inner join place as p on w.place = p.id
    cross join clock
    window known as (partition by w.meter, w.came_at order by p.since)
),

day as (
    select
        *,
        unnest(generate_series(
            (since at time zone zone)::date - 1, (till at time zone zone)::date + 1, interval 1 day
        ))::date as local_day
    from home
    where since < till
),

edge as (
    select
        *,
        midnight(local_day, zone) as day_since,
        midnight(local_day + 1, zone) as day_till
    from day
),

begun as (
    select
        e.*,
        unnest(generate_series(0, (day_till - day_since - 1) // slot_us)) as number
    from edge as e
    cross join clock
    where day_since < epoch_us(clock.now)
)

select
    meter,
    local_day,
    slot_us,
    day_since + number * slot_us as since,
    least(day_since + (number + 1) * slot_us, day_till) as till
from begun
where
    day_since + number * slot_us >= epoch_us(begun.since)
    and day_since + number * slot_us < epoch_us(begun.till);

-- What is negative, or three times beyond the service, is not used; what is beyond it by a tenth, or told
-- by a reading of a length that is a hundredth from what is usual there, is suspect. What a person wrote
-- stands.
create table judged as
with known as (
    select
        s.*,
        s.given * 3600000000 / (s.slot_till - s.slot_since) / 1000000 / m.service_kw as load,
        w.minutes * 60000000::bigint as usual_us
    from slot as s
    inner join meter as m on s.meter = m.id
    inner join whereabouts as w on s.meter = w.meter
    qualify
        row_number() over (
            partition by s.meter, s.slot_since
            order by
                epoch_us(w.came_at) <= s.slot_since desc,
                case when epoch_us(w.came_at) <= s.slot_since then w.came_at end desc,
                w.came_at
        ) = 1
)

select
    * exclude (code),
    case
        when code is null or code = 'EDITED' then code
        when given < 0 or load > 3 then null
        when
            code = 'VALID'
            and (load > 1.1 or coalesce(abs(odd_us - usual_us) > usual_us / 100.0, false))
            then 'SUSPECT'
        else code
    end as code
from known;

-- A slot without a value that ended more than six hours ago is missing, another one is awaited.
create table read_completeness as
with every as (
    select
        coalesce(s.meter, w.meter) as meter,
        coalesce(s.local_day, w.local_day) as local_day,
        coalesce(s.slot_since, w.since) as since,
        case
            when s.code is not null then s.code
            when w.till <= epoch_us(clock.now) - 6 * 3600000000 then 'MISSING'
            else 'PENDING'
        end as code
    from wanted as w
    -- What was told on a day of another zone does not count for this one.
    full outer join judged as s
        on w.meter = s.meter and w.since = s.slot_since and w.local_day = s.local_day
    cross join clock
    -- What began to come and is not whole counts where it is wanted.
    where s.code is not null or w.meter is not null
),

of_day as (
    select
        meter,
        local_day,
        count(*) as slots,
        count(*) filter (where code = 'VALID') as valid,
        count(*) filter (where code = 'SUSPECT') as suspect,
        count(*) filter (where code = 'DERIVED') as derived,
        count(*) filter (where code = 'ESTIMATED') as estimated,
        count(*) filter (where code = 'EDITED') as edited,
        count(*) filter (where code = 'MISSING') as missing,
        count(*) filter (where code = 'PENDING') as pending,
        min(since) filter (where code not in ('MISSING', 'PENDING')) as first_since,
        max(since) filter (where code not in ('MISSING', 'PENDING')) as last_since
    from every
    group by meter, local_day
)

select
    meter as device_id,
    'IMPORT' as channel,
    slots as expected_slots,
    valid,
    suspect,
    derived,
    0 as outage,
    estimated,
    edited,
    missing,
    pending,
    if(
        slots > pending, hundredths(nearest(10000 * (slots - missing - pending), slots - pending)), null
    ) as completeness_pct,
    if(
        slots > missing + pending,
        hundredths(nearest(10000 * estimated, slots - missing - pending)),
        null
    ) as estimated_share_pct,
    local_day as local_date,
    make_timestamptz(first_since) as first_slot_at,
    make_timestamptz(last_since) as last_slot_at
from of_day;

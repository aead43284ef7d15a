-- Master data as models read it: periods in which nothing of a meter changes, and which meters are
-- known. Safe to run twice.

\connect meterhouse

create or replace view public.device_period as
with installations as (
    select
        *,
        lead(installed_at) over of_meter as next_installed_at
    from public.meter_installation
    window of_meter as (partition by device_id order by installed_at)
),

points as (
    -- Its first row holds before it too, each other one until the next: facts have no gap.
    select
        *,
        row_number() over of_point = 1 as is_first,
        lead(valid_from) over of_point as next_valid_from
    from public.service_point
    window of_point as (partition by service_point_id order by valid_from)
),

agreements as (
    -- Days begin in the zone that the service point had then.
    select
        points.service_point_id,
        points.valid_from,
        agreement.customer_id,
        agreement.start_date::timestamp at time zone points.time_zone as from_at,
        agreement.end_date::timestamp at time zone points.time_zone as to_at
    from public.agreement
    inner join points on agreement.service_point_id = points.service_point_id
),

moments as (
    select device_id, installed_at as from_at from installations
    union
    select device_id, removed_at from installations where removed_at is not null
    union
    select installations.device_id, changes.from_at
    from installations
    inner join (
        select service_point_id, valid_from as from_at from points
        union all
        select service_point_id, from_at from agreements
        union all
        select service_point_id, to_at from agreements
    ) as changes
        on
            installations.service_point_id = changes.service_point_id
            and installations.installed_at < changes.from_at
            and changes.from_at < coalesce(installations.removed_at, 'infinity')
),

spans as (
    select
        device_id,
        from_at,
        lead(from_at) over of_meter as to_at,
        row_number() over of_meter = 1 as is_first
    from moments
    window of_meter as (partition by device_id order by from_at)
),

placed as (
    select
        spans.*,
        installations.installed_at,
        installations.removed_at,
        coalesce(installations.removed_at <= spans.from_at, false) as is_removed
    from spans
    inner join installations
        on
            spans.device_id = installations.device_id
            and spans.from_at >= installations.installed_at
            and spans.from_at < coalesce(installations.next_installed_at, 'infinity')
),

periods as (
    -- Readings from before the first installation are counted by it. Those from after a removal have
    -- no customer; once the meter is no longer in device_master, it is not known.
    select
        placed.device_id,
        case
            when placed.is_first then timestamptz '0001-01-01 00:00:00+00' else placed.from_at
        end as from_at,
        placed.to_at,
        case when not placed.is_removed then installations.service_point_id end
            as service_point_id,
        agreements.customer_id,
        points.transformer_id,
        points.time_zone,
        points.nominal_voltage_v,
        -- Rows of version 0.1.0 can hold NaN, which Trino does not read.
        nullif(points.service_size_kw, 'NaN') as service_size_kw,
        installations.meter_multiplier,
        installations.register_modulus_kwh,
        installations.register_decimals,
        installations.interval_minutes,
        placed.is_removed,
        installations.installed_at,
        installations.removed_at,
        installations.initial_register_kwh,
        installations.final_register_kwh
    from placed
    inner join installations
        on
            placed.device_id = installations.device_id
            and placed.installed_at = installations.installed_at
    inner join points
        on
            installations.service_point_id = points.service_point_id
            and (points.is_first or points.valid_from <= placed.from_at)
            and placed.from_at < coalesce(points.next_valid_from, 'infinity')
    left join agreements
        on
            not placed.is_removed
            and points.service_point_id = agreements.service_point_id
            and points.valid_from = agreements.valid_from
            and agreements.from_at <= placed.from_at
            and placed.from_at < coalesce(agreements.to_at, 'infinity')
    where
        not placed.is_removed
        or placed.to_at is not null
        or exists (
            select from public.device_master where device_master.device_id = placed.device_id
        )
),

ends as (
    -- A reading without a length is as long as the meter's interval. By the interval of the earlier
    -- of two periods it is the first one's if it starts before that ends.
    select
        *,
        case
            when to_at is not null
                then max(to_at + interval_minutes * interval '1 minute') over of_meter
        end as ends_to_at
    from periods
    window of_meter as (partition by device_id order by from_at)
)

select
    *,
    coalesce(lag(ends_to_at) over (partition by device_id order by from_at), from_at)
        as ends_from_at
from ends;

-- Meters of which readings may be: those of device_master, and until then those deleted there.
create or replace view public.known_device as
select
    device_id,
    customer_id,
    model,
    manufacturer,
    firmware_version,
    transformer_id,
    time_zone,
    meter_multiplier,
    nominal_voltage_v,
    service_size_kw,
    interval_minutes,
    register_digits,
    latitude,
    longitude,
    is_active,
    installed_at,
    created_at,
    updated_at,
    null::timestamptz as known_until,
    exists (select from public.time_zone where time_zone.name = device_master.time_zone)
        as is_time_zone_listed
from public.device_master
union all
select
    gone.device_id,
    null as customer_id,
    null as model,
    null as manufacturer,
    null as firmware_version,
    point.transformer_id,
    point.time_zone,
    gone.meter_multiplier,
    point.nominal_voltage_v,
    point.service_size_kw,
    gone.interval_minutes,
    round(log(gone.register_modulus_kwh))::integer as register_digits,
    null::numeric(8, 5) as latitude,
    null::numeric(8, 5) as longitude,
    false as is_active,
    gone.installed_at,
    null as created_at,
    gone.removed_at as updated_at,
    gone.removed_at as known_until,
    exists (select from public.time_zone where time_zone.name = point.time_zone)
        as is_time_zone_listed
from (
    select distinct on (meter_installation.device_id) meter_installation.*
    from public.meter_installation
    where
        not exists (
            select from public.device_master
            where device_master.device_id = meter_installation.device_id
        )
    order by meter_installation.device_id asc, meter_installation.installed_at desc
) as gone
inner join lateral (
    -- The row of its removal, else the one that begins next.
    select * from public.service_point
    where service_point.service_point_id = gone.service_point_id
    order by
        service_point.valid_from < gone.removed_at desc,
        case when service_point.valid_from < gone.removed_at then service_point.valid_from end desc,
        service_point.valid_from asc
    limit 1
) as point on gone.removed_at is not null;

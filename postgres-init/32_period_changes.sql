-- What changes in the dated master data, from when on: models work out again what it touches alone.
-- Safe to run twice.

\connect meterhouse

create table if not exists public.device_period_change (
    -- In the order of commits: see take_turns.
    change_id bigint generated always as identity primary key,
    -- After a restore of an older state other changes get the same numbers.
    token uuid not null default gen_random_uuid(),
    device_id text,
    from_at timestamptz not null,
    changed_at timestamptz not null default current_timestamp
);

create index if not exists device_period_change_device_id
on public.device_period_change (device_id);

-- Of no meter: by its token other master data is told from ours before its first change.
insert into public.device_period_change (device_id, from_at)
select null, current_timestamp where not exists (select from public.device_period_change);

comment on table public.device_period_change is
'One row per meter and change of its dated master data; written by triggers.';
comment on column public.device_period_change.change_id is 'Number of the change.';
comment on column public.device_period_change.token is 'Tells it from one of the same number.';
comment on column public.device_period_change.device_id is 'Meter; empty in the first row, of no change.';
comment on column public.device_period_change.from_at is
'Readings that start then or later may count otherwise now.';
comment on column public.device_period_change.changed_at is 'When it was made.';

-- Readings from before the first installation are counted by it: a change of it reaches back to the
-- beginning.
create or replace function public.note_period_change(meter text, changed_from timestamptz)
returns void
language sql
as $$
    insert into public.device_period_change (device_id, from_at)
    select
        meter,
        case
            when changed_from > min(installed_at) then changed_from
            else '0001-01-01 00:00:00+00'
        end
    from public.meter_installation
    where device_id = meter
$$;

-- The same for each meter that is at a service point then or later.
create or replace function public.note_point_change(point text, changed_from timestamptz)
returns void
language sql
as $$
    select public.note_period_change(device_id, greatest(min(installed_at), changed_from))
    from public.meter_installation
    where service_point_id = point and coalesce(removed_at, 'infinity') > changed_from
    group by device_id
$$;

create or replace function public.note_installation_change() returns trigger
language plpgsql
set enable_seqscan = off
as $$
declare
    facts_of_its_end constant text [] := '{removed_at, final_register_kwh}';
begin
    if tg_op = 'INSERT' then
        -- Of a meter that never had one, nothing has been counted.
        if exists (
            select from public.meter_installation
            where device_id = new.device_id and installed_at <> new.installed_at
        ) or exists (
            select from public.device_period_change where device_id = new.device_id
        ) then
            perform public.note_period_change(new.device_id, new.installed_at);
        end if;
    elsif tg_op = 'DELETE' then
        perform public.note_period_change(old.device_id, old.installed_at);
    elsif to_jsonb(old) - facts_of_its_end <> to_jsonb(new) - facts_of_its_end then
        perform public.note_period_change(old.device_id, least(old.installed_at, new.installed_at));
        if old.device_id <> new.device_id then
            perform public.note_period_change(new.device_id, new.installed_at);
        end if;
    elsif old is distinct from new then
        perform public.note_period_change(
            new.device_id, coalesce(least(old.removed_at, new.removed_at), new.installed_at)
        );
    end if;
    return null;
end
$$;

-- A row holds until the next one begins: its end alone changes nothing.
create or replace function public.note_service_point_change() returns trigger
language plpgsql
set enable_seqscan = off
as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(old) - 'valid_to' = to_jsonb(new) - 'valid_to' then
            return null;
        end if;
    end if;
    if tg_op <> 'INSERT' then
        perform public.note_point_change(old.service_point_id, old.valid_from);
    end if;
    if tg_op <> 'DELETE' then
        perform public.note_point_change(new.service_point_id, new.valid_from);
    end if;
    return null;
end
$$;

-- A local day begins in the zone of the service point, the earliest one where it had several.
create or replace function public.note_day_change(point text, changed_from date) returns void
language sql
as $$
    select public.note_point_change(point, min(changed_from::timestamp at time zone time_zone))
    from public.service_point
    where service_point_id = point
$$;

create or replace function public.note_agreement_change() returns trigger
language plpgsql
set enable_seqscan = off
as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(old) - 'end_date' = to_jsonb(new) - 'end_date' then
            if old.end_date is distinct from new.end_date then
                perform public.note_day_change(
                    new.service_point_id, least(old.end_date, new.end_date)
                );
            end if;
            return null;
        end if;
    end if;
    if tg_op <> 'INSERT' then
        perform public.note_day_change(old.service_point_id, old.start_date);
    end if;
    if tg_op <> 'DELETE' then
        perform public.note_day_change(new.service_point_id, new.start_date);
    end if;
    return null;
end
$$;

do $$
declare
    dated text;
begin
    foreach dated in array array['service_point', 'meter_installation', 'agreement']
    loop
        execute format(
            'create or replace trigger %1$s_is_noted '
            'after insert or update or delete on public.%1$I '
            'for each row execute function public.%2$I()',
            dated,
            case dated
                when 'service_point' then 'note_service_point_change'
                when 'meter_installation' then 'note_installation_change'
                else 'note_agreement_change'
            end
        );
    end loop;
end
$$;

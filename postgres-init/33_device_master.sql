-- The simple door: what is written to device_master, dated from now on in the tables of
-- 31_dated_master_data.sql. Fills them from it, once. Safe to run twice.

\connect meterhouse

-- The facts of a service point from a moment on; a row that begins later is changed in its place.
create or replace function public.set_service_point(
    point text, changed jsonb, from_now timestamptz
) returns void
language plpgsql
as $$
declare
    held public.service_point;
    wanted public.service_point;
begin
    select * into held from public.service_point
    where service_point_id = point and coalesce(valid_to, 'infinity') > from_now
    order by valid_from limit 1;
    if not found then
        insert into public.service_point
        select (jsonb_populate_record(null::public.service_point, changed || jsonb_build_object(
            'service_point_id', point, 'valid_from', from_now, 'is_seasonal', false,
            'role', 'customer', 'country_code', customer_master.country_code
        ))).*
        from public.customer_master where customer_id = changed ->> 'customer_id';
        return;
    end if;
    wanted := jsonb_populate_record(held, changed);
    if wanted is not distinct from held then
        return;
    end if;
    -- What no model could use was never right: it is replaced for all its time.
    if
        held.valid_from < from_now
        and held.service_size_kw <> 'NaN'
        and exists (select from public.time_zone where name = held.time_zone)
    then
        update public.service_point set valid_to = from_now
        where service_point_id = point and valid_from = held.valid_from;
        wanted.valid_from := from_now;
        insert into public.service_point select (wanted).*;
    else
        update public.service_point
        set
            transformer_id = wanted.transformer_id,
            time_zone = wanted.time_zone,
            nominal_voltage_v = wanted.nominal_voltage_v,
            service_size_kw = wanted.service_size_kw
        where service_point_id = point and valid_from = held.valid_from;
    end if;
end
$$;

-- Who has a service point from a local day on. Taking a change back on its own day leaves no trace.
create or replace function public.set_agreement(point text, customer text, from_day date)
returns void
language plpgsql
as $$
declare
    held public.agreement;
    last_one public.agreement;
begin
    select * into held from public.agreement
    where service_point_id = point and coalesce(end_date, 'infinity') > from_day
    order by start_date limit 1;
    if held.customer_id = customer then
        return;
    end if;
    if held.start_date < from_day then
        update public.agreement set end_date = from_day where agreement_id = held.agreement_id;
        held.start_date := from_day;
    elsif held.start_date > from_day and exists (
        select from public.agreement where service_point_id = point and start_date < from_day
    ) then
        -- Nobody has it until somebody comes.
        held.end_date := held.start_date;
        held.start_date := from_day;
    else
        delete from public.agreement where agreement_id = held.agreement_id;
        select * into last_one from public.agreement
        where service_point_id = point and end_date = held.start_date and customer_id = customer;
        if found then
            update public.agreement set end_date = held.end_date
            where agreement_id = last_one.agreement_id;
            return;
        end if;
    end if;
    insert into public.agreement (service_point_id, customer_id, tariff_code, start_date, end_date)
    select point, customer_id, tariff_code, coalesce(held.start_date, from_day), held.end_date
    from public.customer_master where customer_id = customer;
end
$$;

-- The facts of an installation from a moment on; one that begins later is changed in its place.
create or replace function public.set_installation(
    held public.meter_installation, changed jsonb, from_now timestamptz
) returns void
language plpgsql
as $$
declare
    wanted public.meter_installation := jsonb_populate_record(held, changed);
begin
    if wanted is not distinct from held then
        return;
    end if;
    if held.installed_at < from_now then
        update public.meter_installation set removed_at = from_now, final_register_kwh = null
        where device_id = held.device_id and installed_at = held.installed_at;
        wanted.installed_at := from_now;
        wanted.initial_register_kwh := null;
        insert into public.meter_installation select (wanted).*;
    else
        update public.meter_installation
        set
            meter_multiplier = wanted.meter_multiplier,
            register_modulus_kwh = wanted.register_modulus_kwh,
            interval_minutes = wanted.interval_minutes
        where device_id = held.device_id and installed_at = held.installed_at;
    end if;
end
$$;

-- A meter in its place from a moment on: where it was last, or at a service point of its own name.
create or replace function public.open_installation(
    meter public.device_master, changed jsonb, from_now timestamptz
) returns void
language plpgsql
as $$
declare
    last_one public.meter_installation;
begin
    select * into last_one from public.meter_installation
    where device_id = meter.device_id order by installed_at desc limit 1;
    from_now := greatest(from_now, last_one.removed_at);
    last_one.service_point_id := coalesce(last_one.service_point_id, meter.device_id);
    perform public.set_service_point(last_one.service_point_id, changed, from_now);
    perform public.set_agreement(
        last_one.service_point_id,
        meter.customer_id,
        (from_now at time zone meter.time_zone)::date
    );
    insert into public.meter_installation (
        device_id, installed_at, service_point_id, serial_no, meter_multiplier,
        register_modulus_kwh, interval_minutes
    )
    values (
        meter.device_id, from_now, last_one.service_point_id, last_one.serial_no,
        meter.meter_multiplier, 10 ^ meter.register_digits, meter.interval_minutes
    );
end
$$;

create or replace function public.end_installation(meter text, from_now timestamptz) returns void
language sql
as $$
    -- One that was to begin later was there for no time that any reading measures.
    update public.meter_installation
    set removed_at = greatest(from_now, installed_at + interval '1 microsecond')
    where device_id = meter and coalesce(removed_at, 'infinity') > from_now;
$$;

-- Values that were not changed are left as the dated tables have them, whoever wrote those.
create or replace function public.follow_device_master() returns trigger
language plpgsql
set enable_seqscan = off
as $$
declare
    from_now constant timestamptz := current_timestamp;
    held public.meter_installation;
    changed jsonb := to_jsonb(new) - 'device_id' - 'installed_at';
begin
    if tg_op = 'DELETE' then
        perform public.end_installation(old.device_id, from_now);
        return null;
    end if;
    select * into held from public.meter_installation
    where device_id = new.device_id and coalesce(removed_at, 'infinity') > from_now
    order by installed_at limit 1;
    if tg_op = 'UPDATE' then
        select coalesce(jsonb_object_agg(key, value), '{}') into changed
        from jsonb_each(changed) where value is distinct from to_jsonb(old) -> key;
    end if;
    if changed ? 'register_digits' then
        changed := changed || jsonb_build_object('register_modulus_kwh', 10 ^ new.register_digits);
    end if;
    if held.device_id is null and (tg_op = 'INSERT' or changed ? 'is_active' and new.is_active) then
        -- Of the first one, setup and the simulator say since when; a meter that comes back is new.
        perform public.open_installation(
            new,
            to_jsonb(new),
            case
                when exists (
                    select from public.meter_installation where device_id = new.device_id
                ) then from_now
                else new.installed_at
            end
        );
    elsif held.device_id is not null then
        perform public.set_installation(held, changed, from_now);
        perform public.set_service_point(held.service_point_id, changed, from_now);
        if changed ? 'customer_id' then
            perform public.set_agreement(
                held.service_point_id,
                new.customer_id,
                (from_now at time zone new.time_zone)::date
            );
        end if;
    end if;
    if changed ? 'is_active' and not new.is_active then
        perform public.end_installation(new.device_id, from_now);
    end if;
    return null;
end
$$;

create or replace trigger device_master_takes_turns
before insert or delete or update of
customer_id, transformer_id, time_zone, meter_multiplier, nominal_voltage_v, service_size_kw,
interval_minutes, register_digits, is_active
on public.device_master
for each statement execute function public.take_turns();

create or replace trigger device_master_is_followed
after insert or delete or update of
customer_id, transformer_id, time_zone, meter_multiplier, nominal_voltage_v, service_size_kw,
interval_minutes, register_digits, is_active
on public.device_master
for each row execute function public.follow_device_master();

-- Show in device_master what the dated tables say of now; a place that nobody has keeps its last
-- customer there.
create or replace function public.show_present(meter text) returns void
language sql
as $$
    with present as (
        select
            installation.meter_multiplier,
            installation.interval_minutes,
            point.*,
            coalesce(agreement.customer_id, device_master.customer_id) as customer_id
        from public.device_master
        inner join public.meter_installation as installation
            on
                device_master.device_id = installation.device_id
                and installation.installed_at <= current_timestamp
                and coalesce(installation.removed_at, 'infinity') > current_timestamp
        cross join lateral (
            select transformer_id, time_zone, nominal_voltage_v, service_size_kw
            from public.service_point
            where
                service_point.service_point_id = installation.service_point_id
                and service_point.valid_from <= current_timestamp
            order by service_point.valid_from desc limit 1
        ) as point
        left join public.agreement
            on
                installation.service_point_id = agreement.service_point_id
                and agreement.start_date <= (current_timestamp at time zone point.time_zone)::date
                and coalesce(agreement.end_date, 'infinity')
                > (current_timestamp at time zone point.time_zone)::date
        where device_master.device_id = meter
    )

    update public.device_master
    set
        customer_id = present.customer_id,
        transformer_id = present.transformer_id,
        time_zone = present.time_zone,
        nominal_voltage_v = present.nominal_voltage_v,
        service_size_kw = present.service_size_kw,
        meter_multiplier = present.meter_multiplier,
        interval_minutes = present.interval_minutes
    from present
    where
        device_master.device_id = meter
        and row(
            device_master.customer_id, device_master.transformer_id, device_master.time_zone,
            device_master.nominal_voltage_v, device_master.service_size_kw,
            device_master.meter_multiplier, device_master.interval_minutes
        ) is distinct from row(
            present.customer_id, present.transformer_id, present.time_zone,
            present.nominal_voltage_v, present.service_size_kw,
            present.meter_multiplier, present.interval_minutes
        )
$$;

create or replace function public.show_dated_change() returns trigger
language plpgsql
set enable_seqscan = off
as $$
begin
    if tg_table_name = 'meter_installation' then
        perform public.show_present(coalesce(new.device_id, old.device_id));
    else
        perform public.show_present(device_id) from public.meter_installation
        where service_point_id = coalesce(new.service_point_id, old.service_point_id)
        group by device_id;
    end if;
    return null;
end
$$;

-- Not of rows that device_master's own trigger wrote: it has more to write.
do $$
declare
    dated text;
begin
    foreach dated in array array['service_point', 'meter_installation', 'agreement']
    loop
        execute format(
            'create or replace trigger %1$s_is_shown '
            'after insert or update or delete on public.%1$I '
            'for each row when (pg_trigger_depth() = 0) '
            'execute function public.show_dated_change()',
            dated
        );
    end loop;
end
$$;

-- Without one, nobody could say whose the readings of a meter are.
create or replace function public.require_installation() returns trigger
language plpgsql
set enable_seqscan = off
as $$
begin
    if
        exists (select from public.device_master where device_id = old.device_id)
        and not exists (select from public.meter_installation where device_id = old.device_id)
    then
        raise exception using
            errcode = 'foreign_key_violation',
            message = format(
                'wanted an installation of meter "%s", which device_master names; found none left; '
                'set removed_at, or change the row instead of deleting it',
                old.device_id
            );
    end if;
    return null;
end
$$;

create or replace trigger meter_installation_of_a_meter_stays
after update of device_id or delete on public.meter_installation
for each row execute function public.require_installation();

-- Meters from before the dated tables, in versions whose rules let odd dates and values in.
do $$
declare
    meter public.device_master;
begin
    perform set_config('enable_seqscan', 'off', true);
    for meter in
        select * from public.device_master
        where not exists (
            select from public.meter_installation
            where meter_installation.device_id = device_master.device_id
        )
        order by device_id
    loop
        perform public.open_installation(
            meter,
            to_jsonb(meter),
            case
                when
                    meter.installed_at between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
                    then meter.installed_at
                else current_timestamp
            end
        );
        if not meter.is_active then
            perform public.end_installation(meter.device_id, current_timestamp);
        end if;
    end loop;
    -- Rules for new rows and changed values, as in device_master.
    if not exists (
        select from pg_constraint where conname = 'service_point_time_zone_is_known_to_trino'
    ) then
        alter table public.service_point
        add constraint service_point_time_zone_is_known_to_trino
        foreign key (time_zone) references public.time_zone (name) not valid;
    end if;
    if not exists (
        select from pg_constraint where conname = 'service_point_size_is_a_number'
    ) then
        alter table public.service_point
        add constraint service_point_size_is_a_number
        check (service_size_kw <> 'NaN') not valid;
    end if;
end
$$;

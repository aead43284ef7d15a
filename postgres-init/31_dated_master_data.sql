-- Master data with dates: where a meter was, what it was like there, and who had the service point.
-- Each row holds from its first moment (inclusive) to its last (exclusive, empty while it is open).
-- Who writes device_master alone can leave them alone: 33_device_master.sql keeps them in step.
-- Safe to run twice.

\connect meterhouse

create table if not exists public.service_point (
    service_point_id text not null
    check (public.require_printable('service_point_id', service_point_id)),
    valid_from timestamptz not null,
    valid_to timestamptz,
    transformer_id text not null
    check (public.require_printable('transformer_id', transformer_id)),
    time_zone text not null
    check ((timestamp '2000-01-01 00:00:00' at time zone time_zone) is not null),
    country_code text not null check (country_code ~ '^[A-Z]{2}$'),
    holiday_region text,
    nominal_voltage_v integer not null check (nominal_voltage_v between 100 and 1000),
    service_size_kw numeric(8, 2) not null check (service_size_kw > 0),
    is_seasonal boolean not null default false,
    role text not null default 'customer' check (role in ('customer', 'transformer')),
    primary key (service_point_id, valid_from),
    constraint service_point_begins_before_it_ends check (valid_from < valid_to),
    constraint service_point_times_are_of_our_calendar check (
        valid_from between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
        and coalesce(valid_to, valid_from) <= '9999-12-31 00:00:00+00'
    )
);

create table if not exists public.meter_installation (
    device_id text not null check (public.require_printable('device_id', device_id)),
    installed_at timestamptz not null,
    removed_at timestamptz,
    service_point_id text not null,
    serial_no text,
    meter_multiplier integer not null default 1 check (meter_multiplier > 0),
    register_modulus_kwh numeric(15, 3) not null default 1000000
    check (register_modulus_kwh > 0),
    register_decimals integer not null default 3 check (register_decimals between 0 and 6),
    initial_register_kwh numeric(18, 6),
    final_register_kwh numeric(18, 6),
    interval_minutes integer not null default 30 check (interval_minutes in (5, 10, 15, 30, 60)),
    channels text [] not null default '{IMPORT}',
    primary key (device_id, installed_at),
    constraint meter_installation_begins_before_it_ends check (installed_at < removed_at),
    constraint meter_installation_numbers_are_none_but_numbers check (
        register_modulus_kwh <> 'NaN'
        and coalesce(initial_register_kwh, 0) <> 'NaN'
        and coalesce(final_register_kwh, 0) <> 'NaN'
    ),
    constraint meter_installation_times_are_of_our_calendar check (
        installed_at between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
        and coalesce(removed_at, installed_at) <= '9999-12-31 00:00:00+00'
    )
);

create table if not exists public.agreement (
    agreement_id text primary key default gen_random_uuid()::text
    check (public.require_printable('agreement_id', agreement_id)),
    service_point_id text not null,
    customer_id text not null references public.customer_master (customer_id),
    tariff_code text not null check (public.require_printable('tariff_code', tariff_code)),
    start_date date not null,
    end_date date,
    constraint agreement_begins_before_it_ends check (start_date < end_date),
    constraint agreement_dates_are_of_our_calendar check (
        start_date between '0001-01-01' and '9999-12-31'
        and coalesce(end_date, start_date) <= '9999-12-31'
    )
);

create index if not exists meter_installation_service_point_id
on public.meter_installation (service_point_id);
create index if not exists agreement_service_point_id
on public.agreement (service_point_id, start_date);
create index if not exists agreement_customer_id on public.agreement (customer_id);

-- One writer at a time: two sessions cannot both find room for their rows, and changes are numbered
-- in the order of commits. A snapshot from before the wait would not see what the other one wrote.
create or replace function public.take_turns() returns trigger
language plpgsql
as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using
            errcode = 'invalid_transaction_state',
            message = format(
                'wanted isolation level read committed to write %s; found %s; '
                'begin the transaction without another level',
                tg_table_name, current_setting('transaction_isolation')
            );
    end if;
    perform pg_advisory_xact_lock(hashtext('meterhouse dated master data'));
    return null;
end
$$;

-- Triggers look rows up by key. A plan from when a table was small would read all of it for each row
-- of a fleet that is loaded at once: hence no sequential scans, here and in the other files.

-- Arguments: the columns of key, first and last moment.
create or replace function public.refuse_overlap() returns trigger
language plpgsql
set enable_seqscan = off
as $$
declare
    key_value constant text := to_jsonb(new) ->> tg_argv[0];
    found_rows text;
begin
    execute format(
        $sql$
        select string_agg(
            format('%%s to %%s', %2$I, coalesce(%3$I::text, 'open')), ' and ' order by %2$I
        )
        from public.%4$I as other
        where
            other.%1$I = ($1).%1$I
            and other.%2$I < coalesce(($1).%3$I, 'infinity')
            and ($1).%2$I < coalesce(other.%3$I, 'infinity')
        having count(*) > 1
        $sql$,
        tg_argv[0], tg_argv[1], tg_argv[2], tg_table_name
    ) into found_rows using new;
    if found_rows is not null then
        raise exception using
            errcode = 'exclusion_violation',
            message = format(
                'wanted one row of %s at a time for %s "%s"; found %s, which overlap; '
                'set %s of the earlier one to %s of the later one first',
                tg_table_name, tg_argv[0], key_value, found_rows, tg_argv[2], tg_argv[1]
            );
    end if;
    return null;
end
$$;

-- A service point has one key a row, so that no foreign key can name it.
create or replace function public.require_service_point() returns trigger
language plpgsql
set enable_seqscan = off
as $$
declare
    wanted constant text := case
        when tg_table_name = 'service_point' then old.service_point_id else new.service_point_id
    end;
begin
    if exists (select from public.service_point where service_point_id = wanted) then
        return null;
    end if;
    if
        tg_table_name <> 'service_point'
        or exists (select from public.meter_installation where service_point_id = wanted)
        or exists (select from public.agreement where service_point_id = wanted)
    then
        raise exception using
            errcode = 'foreign_key_violation',
            message = format(
                'wanted a row of service_point for "%s", which %s names; found none; '
                'write the service point first, delete it last',
                wanted,
                case when tg_table_name = 'service_point' then 'an installation or agreement'
                else tg_table_name end
            );
    end if;
    return null;
end
$$;

do $$
declare
    dated text;
    key_name text;
    from_name text;
    to_name text;
begin
    for dated, key_name, from_name, to_name in
        values
        ('service_point', 'service_point_id', 'valid_from', 'valid_to'),
        ('meter_installation', 'device_id', 'installed_at', 'removed_at'),
        ('agreement', 'service_point_id', 'start_date', 'end_date')
    loop
        execute format(
            'create or replace trigger %1$s_takes_turns '
            'before insert or update or delete on public.%1$I '
            'for each statement execute function public.take_turns()',
            dated
        );
        execute format(
            'create or replace trigger %1$s_overlaps_none '
            'after insert or update on public.%1$I '
            'for each row execute function public.refuse_overlap(%2$L, %3$L, %4$L)',
            dated, key_name, from_name, to_name
        );
        execute format(
            'create or replace trigger %1$s_has_service_point after %2$s on public.%1$I '
            'for each row execute function public.require_service_point()',
            dated,
            case dated when 'service_point' then 'update or delete' else 'insert or update' end
        );
    end loop;
end
$$;

comment on table public.service_point is
'One row per service point and time in which it did not change.';
comment on column public.service_point.service_point_id is
'Where energy is delivered; of a meter of the simple door, the name of the meter.';
comment on column public.service_point.valid_from is 'First moment of the row.';
comment on column public.service_point.valid_to is 'First moment after it; empty while it holds.';
comment on column public.service_point.transformer_id is 'Transformer that feeds it.';
comment on column public.service_point.time_zone is 'IANA time zone whose days count there.';
comment on column public.service_point.country_code is 'Country, ISO 3166 alpha-2.';
comment on column public.service_point.holiday_region is 'Whose public holidays count there.';
comment on column public.service_point.nominal_voltage_v is 'Nominal supply voltage in volts.';
comment on column public.service_point.service_size_kw is 'Largest demand in kW.';
comment on column public.service_point.is_seasonal is 'Whether weeks without use are normal.';
comment on column public.service_point.role is 'customer, or transformer: a boundary meter''s.';

comment on table public.meter_installation is
'One row per meter and time in which it was at one place with the same registers.';
comment on column public.meter_installation.device_id is 'Meter number.';
comment on column public.meter_installation.installed_at is 'First moment of the row.';
comment on column public.meter_installation.removed_at is
'First moment after it; empty while the meter is there.';
comment on column public.meter_installation.service_point_id is 'Where the meter is.';
comment on column public.meter_installation.serial_no is 'Number of its maker.';
comment on column public.meter_installation.meter_multiplier is
'Energy in kWh = register difference x multiplier.';
comment on column public.meter_installation.register_modulus_kwh is
'Value at which the register rolls over to zero.';
comment on column public.meter_installation.register_decimals is
'Decimals of the register that are sent.';
comment on column public.meter_installation.initial_register_kwh is
'Register when the meter came, where known.';
comment on column public.meter_installation.final_register_kwh is
'Register when it was removed, where known.';
comment on column public.meter_installation.interval_minutes is
'Minutes from one stored reading to the next.';
comment on column public.meter_installation.channels is 'What it measures: IMPORT, EXPORT.';

comment on table public.agreement is 'One row per service point and customer who has it.';
comment on column public.agreement.agreement_id is 'Number of the contract.';
comment on column public.agreement.service_point_id is 'What it is about.';
comment on column public.agreement.customer_id is 'Who pays.';
comment on column public.agreement.tariff_code is 'Code of the tariff agreed upon.';
comment on column public.agreement.start_date is 'First local day.';
comment on column public.agreement.end_date is 'First local day after it; empty while it holds.';

-- Master data of customers and meters, as a utility holds them. Safe to run twice.
-- Filled by `python -m simulator.master_data`; 40_access.sql says who reads what.

\connect meterhouse

create table if not exists public.customer_master (
    customer_id text primary key,
    customer_name text not null check (customer_name <> ''),
    first_name text not null,
    last_name text not null,
    company_name text,
    customer_class text not null check (customer_class in ('household', 'trade')),
    tariff_code text not null,
    street text not null,
    postcode text not null,
    city text not null,
    country_code text not null check (country_code ~ '^[A-Z]{2}$'),
    email text not null check (email like '%_@_%'),
    phone text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default current_timestamp,
    updated_at timestamptz not null default current_timestamp,
    check ((customer_class = 'trade') = (company_name is not null))
);

create table if not exists public.device_master (
    device_id text primary key,
    customer_id text not null references public.customer_master (customer_id),
    model text not null,
    manufacturer text not null,
    firmware_version text not null,
    transformer_id text not null,
    -- An unknown zone name makes this check fail with the name in the message.
    time_zone text not null
    check ((timestamp '2000-01-01 00:00:00' at time zone time_zone) is not null),
    meter_multiplier integer not null default 1 check (meter_multiplier > 0),
    nominal_voltage_v integer not null check (nominal_voltage_v between 100 and 1000),
    service_size_kw numeric(8, 2) not null check (service_size_kw > 0),
    interval_minutes integer not null default 30 check (interval_minutes in (5, 10, 15, 30, 60)),
    register_digits integer not null default 6 check (register_digits between 4 and 9),
    latitude numeric(8, 5) not null check (latitude between -90 and 90),
    longitude numeric(8, 5) not null check (longitude between -180 and 180),
    is_active boolean not null default true,
    installed_at timestamptz not null,
    created_at timestamptz not null default current_timestamp,
    updated_at timestamptz not null default current_timestamp
);

-- True for what can name a thing: 1 to 64 printable characters, the first and the last no blank.
-- Any other text is an error that says so. By Unicode's categories Cc, Cf, Zl and Zp are not
-- printable and Zs are blanks; listed, because classes such as [[:cntrl:]] follow the locale.
create or replace function public.require_printable(column_name text, value text) returns boolean
language plpgsql immutable strict
as $$
declare
    invisible constant text :=
        '[\u0001-\u001f\u007f-\u009f\u2028\u2029\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891'
        '\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb'
        '\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a'
        '\U000e0001\U000e0020-\U000e007f]';
    blank constant text := '[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]';
begin
    if
        char_length(value) between 1 and 64
        and value !~ invisible
        and left(value, 1) !~ blank
        and right(value, 1) !~ blank
    then
        return true;
    end if;
    raise exception using
        errcode = 'check_violation',
        column = column_name,
        message = format(
            'wanted %s of 1 to 64 printable characters, the first and the last no blank; '
            'found %s characters: "%s"; write another one, docs/operations.md says which can be',
            column_name,
            char_length(value),
            regexp_replace(left(value, 64), invisible, chr(65533), 'g')
        );
end
$$;

-- Filled by setup with the zones of PostgreSQL that Trino can evaluate: one meter in another zone
-- would stop every model.
create table if not exists public.time_zone (name text primary key);

-- Rules for new rows and changed values. What stands there already is left: setup names it, and the
-- models quarantine the readings of a meter that they cannot judge.
do $$
declare
    owner_table text;
    named text;
begin
    for owner_table, named in
        values
        ('customer_master', 'customer_id'),
        ('customer_master', 'tariff_code'),
        ('device_master', 'device_id'),
        ('device_master', 'firmware_version'),
        ('device_master', 'transformer_id')
    loop
        if not exists (
            select from pg_constraint
            where conname = format('%s_%s_is_printable', owner_table, named)
        ) then
            -- Patterns of version 0.1.0, which took the simulator's names alone.
            execute format(
                'alter table public.%1$I drop constraint if exists %1$s_%2$s_check, '
                'add constraint %1$s_%2$s_is_printable '
                'check (public.require_printable(%2$L, %2$I)) not valid',
                owner_table, named
            );
        end if;
    end loop;
    if not exists (
        select from pg_constraint where conname = 'device_master_time_zone_is_known_to_trino'
    ) then
        -- A guess by spelling, of version 0.1.0.
        alter table public.device_master
        drop constraint if exists device_master_time_zone_is_of_iana,
        add constraint device_master_time_zone_is_known_to_trino
        foreign key (time_zone) references public.time_zone (name) not valid;
    end if;
    if not exists (
        select from pg_constraint where conname = 'device_master_service_size_is_a_number'
    ) then
        -- NaN is greater than zero in PostgreSQL, and no number to Trino.
        alter table public.device_master
        add constraint device_master_service_size_is_a_number
        check (service_size_kw <> 'NaN') not valid;
    end if;
    -- Trino reads no infinite time and none after the year 73326.
    if not exists (
        select from pg_constraint where conname = 'device_master_times_are_of_our_calendar'
    ) then
        alter table public.device_master
        add constraint device_master_times_are_of_our_calendar
        check (
            installed_at between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
            and created_at between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
            and updated_at between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
        ) not valid;
    end if;
    if not exists (
        select from pg_constraint where conname = 'customer_master_times_are_of_our_calendar'
    ) then
        alter table public.customer_master
        add constraint customer_master_times_are_of_our_calendar
        check (
            created_at between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
            and updated_at between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00'
        ) not valid;
    end if;
end
$$;

create index if not exists device_master_customer_id on public.device_master (customer_id);
create index if not exists device_master_transformer_id on public.device_master (transformer_id);

create or replace function public.set_updated_at() returns trigger
language plpgsql
as $$
begin
    new.updated_at := current_timestamp;
    return new;
end
$$;

-- Only a row that really changes gets a new stamp.
create or replace trigger customer_master_updated_at
before update on public.customer_master
for each row
when (old.* is distinct from new.*)
execute function public.set_updated_at();

create or replace trigger device_master_updated_at
before update on public.device_master
for each row
when (old.* is distinct from new.*)
execute function public.set_updated_at();

comment on table public.customer_master is 'One row per customer of the utility.';
comment on column public.customer_master.customer_id is
'Customer number: any 1 to 64 printable characters; case counts.';
comment on column public.customer_master.customer_name is
'Name on the bill: the company of a trade customer, else first and last name.';
comment on column public.customer_master.first_name is 'First name of the contact person.';
comment on column public.customer_master.last_name is 'Last name of the contact person.';
comment on column public.customer_master.company_name is 'Company; empty for households.';
comment on column public.customer_master.customer_class is
'household or trade: decides the load profile (H0 or G0).';
comment on column public.customer_master.tariff_code is 'Code of the tariff agreed upon.';
comment on column public.customer_master.street is 'Street and house number of the supply.';
comment on column public.customer_master.postcode is 'Postcode of the supply.';
comment on column public.customer_master.city is 'Town of the supply.';
comment on column public.customer_master.country_code is 'Country, ISO 3166 alpha-2.';
comment on column public.customer_master.email is 'E-mail address of the contact person.';
comment on column public.customer_master.phone is 'Telephone number of the contact person.';
comment on column public.customer_master.is_active is 'Whether the customer is supplied today.';
comment on column public.customer_master.created_at is 'When the row was made.';
comment on column public.customer_master.updated_at is 'When the row last changed.';

comment on table public.time_zone is 'One row per time zone that a meter can have.';
comment on column public.time_zone.name is
'IANA name that PostgreSQL and Trino both know; setup asks Trino.';

comment on table public.device_master is 'One row per meter.';
comment on column public.device_master.device_id is
'Meter number: any 1 to 64 printable characters; case counts.';
comment on column public.device_master.customer_id is 'Customer the meter is billed to.';
comment on column public.device_master.model is 'Model name of the maker.';
comment on column public.device_master.manufacturer is 'Maker of the meter.';
comment on column public.device_master.firmware_version is 'Firmware in the meter.';
comment on column public.device_master.transformer_id is 'Transformer that feeds the meter.';
comment on column public.device_master.time_zone is
'IANA time zone whose days count for this meter.';
comment on column public.device_master.meter_multiplier is
'Energy in kWh = register difference x multiplier (current transformer ratio).';
comment on column public.device_master.nominal_voltage_v is 'Nominal supply voltage in volts.';
comment on column public.device_master.service_size_kw is 'Largest demand of the service in kW.';
comment on column public.device_master.interval_minutes is
'Minutes from one stored reading of the meter to the next.';
comment on column public.device_master.register_digits is
'Whole kWh digits of the register; it rolls over to zero after the last.';
comment on column public.device_master.latitude is 'Degrees north, WGS 84.';
comment on column public.device_master.longitude is 'Degrees east, WGS 84.';
comment on column public.device_master.is_active is 'Whether the meter is in service today.';
comment on column public.device_master.installed_at is 'When the meter went into service.';
comment on column public.device_master.created_at is 'When the row was made.';
comment on column public.device_master.updated_at is 'When the row last changed.';

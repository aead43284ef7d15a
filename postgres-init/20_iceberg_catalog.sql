-- Tables of the Iceberg JDBC catalog (schema version V1), shared by Trino and PyIceberg.
-- Trino does not create them itself. Safe to run twice.

\connect iceberg_catalog
set role catalog;

create table if not exists iceberg_tables (
    catalog_name varchar(255) not null,
    table_namespace varchar(255) not null,
    table_name varchar(255) not null,
    metadata_location varchar(1000),
    previous_metadata_location varchar(1000),
    iceberg_type varchar(5),
    primary key (catalog_name, table_namespace, table_name)
);

create table if not exists iceberg_namespace_properties (
    catalog_name varchar(255) not null,
    namespace varchar(255) not null,
    property_key varchar(255) not null,
    property_value varchar(1000),
    primary key (catalog_name, namespace, property_key)
);

-- The scheduler asks here whether anything new has landed.
grant select on iceberg_tables to dbt;

-- Rounds record the models' progress by it: another metadata file of the same table in place of the
-- one they read. Nothing else of the catalog is theirs to change.
create or replace function public.swap_metadata(
    table_schema text, table_name text, old_location text, new_location text
) returns boolean
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with swapped as (
        update public.iceberg_tables
        set metadata_location = new_location, previous_metadata_location = old_location
        where
            iceberg_tables.catalog_name = 'lakehouse'
            and iceberg_tables.table_namespace = table_schema
            and iceberg_tables.table_name = swap_metadata.table_name
            and iceberg_tables.metadata_location = old_location
            and coalesce(iceberg_tables.iceberg_type, 'TABLE') = 'TABLE'
            and table_schema in ('staging', 'quality', 'intermediate', 'marts')
            and starts_with(new_location, regexp_replace(old_location, '[^/]*$', ''))
            and regexp_replace(new_location, '^.*/', '') ~ '^\d{5,}-[0-9a-f-]{36}\.metadata\.json$'
            and length(regexp_replace(new_location, '^.*/', ''))
            = length(new_location) - length(regexp_replace(old_location, '[^/]*$', ''))
        returning 1
    )
    select exists (select from swapped)
$$;
revoke all on function public.swap_metadata(text, text, text, text) from public;
grant execute on function public.swap_metadata(text, text, text, text) to dbt;

-- The number of each run of the models: the time in milliseconds, but always more than the last one
-- and than `recorded`, whatever clocks say.
create table if not exists last_load (number bigint not null);
insert into last_load select 0 where not exists (select from last_load);
create or replace function public.next_load(recorded bigint) returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update public.last_load
    set number = greatest(
        last_load.number + 1,
        recorded + 1,
        floor(extract(epoch from clock_timestamp()) * 1000)::bigint
    )
    returning last_load.number
$$;
revoke all on function public.next_load(bigint) from public;
grant execute on function public.next_load(bigint) to dbt;
reset role;

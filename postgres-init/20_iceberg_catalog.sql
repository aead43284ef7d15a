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
reset role;

-- Roles and databases, each with no more rights than its work needs. Safe to run twice.
-- Called by psql with the passwords as variables; none is written here.

select format('create role %I login', wanted.role_name)
from (values ('catalog'), ('simulator'), ('trino'), ('dbt')) as wanted (role_name)
where not exists (select from pg_roles where pg_roles.rolname = wanted.role_name)
\gexec

alter role catalog password :'catalog_password';
alter role simulator password :'simulator_password';
alter role trino password :'trino_password';
alter role dbt password :'dbt_password';

select format('create database %I owner %I', wanted.database_name, wanted.owner_name)
from (values ('meterhouse', 'postgres'), ('iceberg_catalog', 'catalog'))
    as wanted (database_name, owner_name)
where not exists (
    select from pg_database where pg_database.datname = wanted.database_name
)
\gexec

revoke all on database meterhouse, iceberg_catalog, postgres from public;
grant connect on database meterhouse to simulator, trino, dbt;
grant connect on database iceberg_catalog to dbt;

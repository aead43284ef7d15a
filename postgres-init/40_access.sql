-- Who reads which column of the master data; only the owner writes it. Safe to run twice.
-- Names and contacts of customers are for Trino, which shows them to its operator only
-- (trino/etc/access/rules.json); the simulator and dbt's scheduler work without them.

\connect meterhouse

begin;
revoke all on
public.customer_master, public.device_master, public.service_point, public.meter_installation,
public.agreement, public.device_period, public.device_period_change, public.known_device,
public.producer_reports, public.backups
from simulator, trino, dbt;
grant select on public.device_master to simulator, trino, dbt;
grant select on
public.service_point, public.meter_installation, public.agreement, public.device_period,
public.device_period_change, public.known_device
to trino, dbt;
grant select on public.customer_master to trino;
grant select (customer_id, customer_class, is_active)
on public.customer_master to simulator;
grant select (customer_id, customer_class, tariff_code, is_active)
on public.customer_master to dbt;
grant select, insert, update on public.producer_reports to simulator;
grant select on public.producer_reports, public.backups to dbt;
revoke all on public.vee_rule from simulator, trino, dbt;
grant select on public.vee_rule to trino;
commit;

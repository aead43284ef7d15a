{{ config(materialized='view') }}

with int_fault_rules (event_type, is_fault, severity, cleared_by, open_days) as (
    values
    ('POWER_FAILURE', true, 'major', 'POWER_RETURNED', 30),
    ('LAST_GASP', true, 'major', 'POWER_RETURNED', 30),
    ('PHASE_OUTAGE', true, 'major', 'POWER_RETURNED', 30),
    ('POWER_RETURNED', false, null, null, 0),
    ('TERMINAL_COVER_REMOVED', true, 'major', null, 30),
    ('METER_COVER_REMOVED', true, 'major', null, 30),
    ('STRONG_DC_FIELD_DETECTED', true, 'major', null, 30),
    ('REPLACE_BATTERY', true, 'minor', null, 30),
    ('BATTERY_VOLTAGE_LOW', true, 'minor', null, 30),
    ('CLOCK_INVALID', true, 'minor', null, 7),
    ('WATCHDOG_ERROR', true, 'minor', null, 7),
    ('FAILED_LOGIN_ATTEMPT', true, 'minor', null, 7),
    ('COMMUNICATION_LOST', true, 'minor', null, 1),
    ('UNDER_VOLTAGE', true, 'minor', null, 1),
    ('VOLTAGE_SAG', true, 'minor', null, 1),
    ('VOLTAGE_SWELL', true, 'minor', null, 1),
    ('FIRMWARE_UPDATED', false, null, null, 0)
)

select
    event_type,
    severity,
    cleared_by,
    open_days,
    is_fault
from int_fault_rules

-- Finished backups, as rounds and metrics know of them: the folder they are in may be out of reach.
-- One row a backup. Safe to run twice.

\connect meterhouse

create table if not exists public.backups (
    name text primary key,
    taken_at timestamptz not null,
    fills_gap_until timestamptz,
    objects bigint not null check (objects >= 0),
    bytes bigint not null check (bytes >= 0),
    restored_at timestamptz
);

comment on table public.backups is 'One row a finished backup of catalog, master data and objects.';
comment on column public.backups.name is 'Its folder below BACKUP_DIR.';
comment on column public.backups.taken_at is 'When its copy of the catalog was begun.';
comment on column public.backups.fills_gap_until is
'Until when Kafka holds what came since, with the time of a restore; empty where it keeps all.';
comment on column public.backups.objects is 'Objects in it, those of older backups too.';
comment on column public.backups.bytes is 'Bytes of these objects.';
comment on column public.backups.restored_at is 'When it was last put back.';

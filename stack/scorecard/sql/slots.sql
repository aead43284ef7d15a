-- The slots that somebody knows the truth of. told: lines of truth files.
create table true_slots as
with told_slots as (
    select
        device_id,
        from_at,
        to_at,
        file,
        (true_values ->> 'kwh')::decimal(18, 6) as kwh,
        -- A run may begin within its first slot: nobody sent the whole of that one.
        row_number() over (partition by file, device_id order by to_at) > 1 as is_whole
    from told
    where kind = 'slot'
)

select
    device_id,
    from_at,
    to_at,
    min(kwh) as kwh,
    bool_or(is_whole) as is_judged,
    count(distinct file) as run_count
from told_slots
group by device_id, from_at, to_at
-- Runs of two seeds tell two truths.
having min(kwh) = max(kwh)

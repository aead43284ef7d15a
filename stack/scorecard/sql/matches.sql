-- What detectors said, what they should have said, and which of it meets.
create table true_spans as
select
    spans.*,
    sum(slots.kwh) as true_kwh
from spans
inner join true_slots as slots
    on
        spans.device_id = slots.device_id
        and slots.from_at >= spans.from_at
        and slots.to_at <= spans.to_at
where spans.channel = 'IMPORT'
group by all
-- Truth of the whole span, not of parts.
having sum(epoch(slots.to_at - slots.from_at)) = epoch(spans.to_at - spans.from_at);

create table claims as
with of_faults as (
    select
        pairs.detector,
        faults.kind,
        faults.device_id,
        if(pairs.detector = 'R17', faults.sent_at - interval 1 second, faults.from_at)
            as from_at,
        if(pairs.detector = 'R17', faults.sent_at, faults.to_at) as to_at,
        bool_or(pairs.claim = 'must') as is_due,
        bool_or(pairs.claim = 'may') as is_possible
    from faults
    inner join pairs
        on
            faults.kind = pairs.kind
            and (
                pairs.circumstance = '-'
                or list_contains(faults.circumstances, pairs.circumstance)
            )
    where pairs.detector not in ('-', 'R13')
    group by all
),

of_spans as (
    -- Energies and register differ on account of a fault: it is found in the span it ends in.
    select
        'R13' as detector,
        string_agg(distinct faults.kind, ', ' order by faults.kind) as kind,
        true_spans.device_id,
        true_spans.from_at,
        true_spans.to_at,
        true as is_due,
        false as is_possible
    from true_spans
    inner join faults
        on
            true_spans.device_id = faults.device_id
            and faults.to_at > true_spans.from_at
            and faults.to_at <= true_spans.to_at
    inner join pairs
        on
            faults.kind = pairs.kind
            and pairs.detector = 'R13'
            and (
                pairs.circumstance = '-'
                or list_contains(faults.circumstances, pairs.circumstance)
            )
    where
        abs(true_spans.slots_kwh - true_spans.true_kwh) > true_spans.tolerance_kwh
        and true_spans.status not in ('RESET', 'ESTIMATES_INSIDE')
    group by all
),

all_claims as (
    from of_faults
    union all by name from of_spans
)

select
    row_number() over () as claim_number,
    all_claims.*
from all_claims
where
    case
        when detector = 'R17' then device_id in (select device_id from true_slots)
        when detector = 'R13' then true
        when starts_with(detector, 'R14')
            then exists (
                from spans
                where
                    spans.device_id = all_claims.device_id
                    and spans.channel = 'IMPORT'
                    and spans.from_at < all_claims.to_at
                    and spans.to_at > all_claims.from_at
            )
        else exists (
            from true_slots as slots
            where
                slots.is_judged
                and slots.device_id = all_claims.device_id
                and slots.from_at < all_claims.to_at
                and slots.to_at > all_claims.from_at
        )
        and not exists (
            -- What is not due yet may still come.
            from found_slots
            where
                all_claims.detector = 'R04'
                and found_slots.quality_code = 'PENDING'
                and found_slots.device_id = all_claims.device_id
                and found_slots.from_at < all_claims.to_at
                and found_slots.to_at > all_claims.from_at
        )
    end;

create table hits as
with told_hits as (
    select rule_code as detector, device_id, from_at, to_at from rule_hits
    union all
    select 'R04', device_id, from_at, to_at
    from found_slots
    where channel = 'IMPORT' and is_gap
    union all
    select 'R14_' || status, device_id, from_at, to_at
    from spans
    where channel = 'IMPORT' and status in ('EXCHANGE', 'RESET', 'ROLLOVER')
    union all
    select 'R13', device_id, from_at, to_at
    from true_spans
    where cause is not null
    union all
    -- No hit tells of readings that overlap: their slot has the energy of one of them.
    select 'R03', claims.device_id, claims.from_at, claims.to_at
    from claims
    inner join true_slots as slots
        on
            claims.device_id = slots.device_id
            and claims.from_at >= slots.from_at
            and claims.to_at <= slots.to_at
    inner join found_slots
        on
            slots.device_id = found_slots.device_id
            and slots.from_at = found_slots.from_at
            and found_slots.channel = 'IMPORT'
    where claims.detector = 'R03' and found_slots.final_kwh = slots.kwh
)

select
    row_number() over () as hit_number,
    told_hits.*
from told_hits
where
    if(
        detector = 'R17',
        device_id in (select device_id from true_slots),
        exists (
            from true_slots as slots
            where
                slots.is_judged
                and slots.device_id = told_hits.device_id
                and slots.from_at < told_hits.to_at
                and slots.to_at > told_hits.from_at
        )
    );

create table matches as
select
    hits.hit_number,
    claims.claim_number
from hits
inner join claims
    on
        hits.detector = claims.detector
        and hits.device_id = claims.device_id
        and hits.from_at < claims.to_at
        and hits.to_at > claims.from_at;

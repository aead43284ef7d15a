-- One row a detector, and of each quality code and the registers how far energies are off.
with extent as (
    select coalesce(sum(epoch(to_at - from_at)), 0) / 86400 as meter_days
    from true_slots
    where is_judged
),

counted_hits as (
    select
        detector,
        count(*) as hit_count,
        count(*) filter (hit_number not in (select hit_number from matches)) as fp
    from hits
    group by detector
),

counted_claims as (
    select
        detector,
        count(*) filter (is_due and is_found) as tp,
        count(*) filter (is_due and not is_found) as fn,
        count(*) filter (is_possible and not is_due and not is_found) as unseen
    from (
        select
            *,
            claim_number in (select claim_number from matches) as is_found
        from claims
    ) as judged_claims
    group by detector
),

of_detectors as (
    select
        detectors.detector,
        detectors.severity,
        detectors.unit,
        coalesce(counted_hits.hit_count, 0) as hits,
        coalesce(counted_claims.tp, 0) as tp,
        coalesce(counted_hits.fp, 0) as fp,
        coalesce(counted_claims.fn, 0) as fn,
        coalesce(counted_claims.unseen, 0) as unseen
    from detectors
    left join counted_hits on detectors.detector = counted_hits.detector
    left join counted_claims on detectors.detector = counted_claims.detector
),

slot_sums as (
    -- What the slots of a span add up to, beside what its register counted.
    select
        true_spans.delta_kwh,
        true_spans.tolerance_kwh,
        sum(coalesce(found_slots.final_kwh, 0)) as final_kwh
    from true_spans
    inner join found_slots
        on
            true_spans.device_id = found_slots.device_id
            and true_spans.channel = found_slots.channel
            and found_slots.to_at > true_spans.from_at
            and found_slots.to_at <= true_spans.to_at
    where true_spans.status = 'OK'
    group by
        true_spans.device_id,
        true_spans.from_at,
        true_spans.delta_kwh,
        true_spans.tolerance_kwh
),

of_registers as (
    select
        'CONSERVATION' as detector,
        'hard' as severity,
        'spans' as unit,
        count(*) as hits,
        count(*) filter (abs(final_kwh - delta_kwh) <= tolerance_kwh) as tp,
        count(*) filter (abs(final_kwh - delta_kwh) > tolerance_kwh) as fp,
        sum(abs(final_kwh - delta_kwh)) as difference_kwh,
        sum(abs(final_kwh - delta_kwh)) / nullif(sum(delta_kwh), 0) as wape,
        sum(final_kwh - delta_kwh) / nullif(sum(delta_kwh), 0) as bias
    from slot_sums
),

of_values as (
    select
        'VALUE_' || found_slots.quality_code as detector,
        'slots' as unit,
        count(*) as hits,
        count(*) filter (found_slots.final_kwh = slots.kwh) as tp,
        count(*) filter (found_slots.final_kwh <> slots.kwh) as fp,
        sum(abs(found_slots.final_kwh - slots.kwh)) as difference_kwh,
        sum(abs(found_slots.final_kwh - slots.kwh)) / nullif(sum(slots.kwh), 0) as wape,
        sum(found_slots.final_kwh - slots.kwh) / nullif(sum(slots.kwh), 0) as bias
    from found_slots
    inner join true_slots as slots
        on
            found_slots.device_id = slots.device_id
            and found_slots.from_at = slots.from_at
            and found_slots.to_at = slots.to_at
    where found_slots.channel = 'IMPORT' and found_slots.final_kwh is not null
    group by found_slots.quality_code
),

together as (
    from of_detectors
    union all by name from of_registers
    union all by name from of_values
),

rated as (
    select
        *,
        tp / nullif(tp + fn, 0) as recall,
        -- A value that is wrong is no alarm.
        if(severity is null, null, (hits - fp) / nullif(hits, 0)) as precision,
        if(severity is null, null, 1000 * fp / nullif(extent.meter_days, 0)) as false_alarms
    from together
    cross join extent
)

select
    detector,
    severity,
    unit,
    hits,
    tp,
    fp,
    fn,
    unseen,
    precision,
    recall,
    false_alarms,
    wape,
    bias,
    difference_kwh::double as difference_kwh,
    meter_days,
    case severity
        when 'hard' then fp = 0 and coalesce(fn, 0) = 0
        when 'soft' then coalesce(false_alarms, 0) <= 2
        when 'info' then coalesce(false_alarms, 0) <= 2
    end as is_kept
from rated
order by starts_with(detector, 'R') desc, detector

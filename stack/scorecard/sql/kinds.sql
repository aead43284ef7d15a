-- Each kind of fault that was sent: how often a detector met it, and which.
with of_kinds as (
    select
        faults.fault_number,
        faults.kind,
        claims.detector
    from faults
    left join claims
        on
            faults.kind = claims.kind
            and claims.detector <> 'R13'
            and faults.device_id = claims.device_id
            and claims.claim_number in (select claim_number from matches)
            and if(
                claims.detector = 'R17',
                faults.sent_at = claims.to_at,
                faults.from_at = claims.from_at
            )
    where faults.kind <> 'sent_again'
    union all
    select faults.fault_number, faults.kind, 'R13'
    from faults
    inner join hits
        on
            hits.detector = 'R13'
            and faults.device_id = hits.device_id
            and faults.to_at > hits.from_at
            and faults.to_at <= hits.to_at
    inner join pairs on faults.kind = pairs.kind and pairs.detector = 'R13'
)

select
    kind,
    count(distinct fault_number) as facts,
    count(distinct fault_number) filter (detector is not null) as seen,
    coalesce(string_agg(distinct detector, ', ' order by detector), '') as detectors
from of_kinds
group by kind
order by kind

-- Rules by which values are validated, with the thresholds that a utility sets. Safe to run twice:
-- what stands in the table stays as it is. docs/rules.md explains each rule.

\connect meterhouse

-- True for a row that the models can evaluate; any other is an error that says what was wanted.
-- docs/rules.md and staging.stg_vee_rules know the same rules.
create or replace function public.require_vee_rule(
    rule_code text,
    customer_class text,
    valid_from date,
    severity text,
    threshold_1 numeric,
    threshold_2 numeric,
    min_slots integer
) returns boolean
language plpgsql immutable
as $$
declare
    rule record;
    wanted text;
    found_text text;
begin
    -- What each rule takes: bounds of threshold_1, greatest threshold_2, null for none.
    select known.* into rule
    from (
        values
        ('R01', 0, 100000, null, false, false),
        ('R02', 0, 100000, null, false, false),
        ('R05', 0, 100, null, false, false),
        ('R06', -100000, 0, null, false, false),
        ('R07', 0.01, 100000, 100000, false, false),
        ('R15', 2, 100000, 100000, true, true),
        ('R16', 0.01, 50, null, false, true),
        ('R17', 0, 100000, null, false, false),
        ('R20', null, null, null, false, false)
    ) as known (code, least, greatest, greatest_2, needs_2, needs_slots)
    where known.code = require_vee_rule.rule_code;

    if rule.code is null then
        wanted := 'a rule_code that the models know';
        found_text := rule_code;
    elsif customer_class not in ('all', 'household', 'trade') then
        wanted := 'customer_class all, household or trade';
        found_text := customer_class;
    elsif not valid_from between '1900-01-01' and '9999-12-31' then
        wanted := 'valid_from between 1900-01-01 and 9999-12-31';
        found_text := valid_from;
    elsif severity not in ('info', 'soft', 'hard') then
        wanted := 'severity info, soft or hard';
        found_text := severity;
    elsif rule.least is null and threshold_1 is not null then
        wanted := format('no threshold_1 of %s, which has none', rule.code);
        found_text := trim_scale(threshold_1);
    elsif rule.least is not null and (threshold_1 is null or not threshold_1 between rule.least and rule.greatest) then
        wanted := format('threshold_1 of %s between %s and %s', rule.code, rule.least, rule.greatest);
        found_text := trim_scale(threshold_1);
    elsif rule.greatest_2 is null and threshold_2 is not null then
        wanted := format('no threshold_2 of %s, which has none', rule.code);
        found_text := trim_scale(threshold_2);
    elsif rule.needs_2 and threshold_2 is null then
        wanted := format('threshold_2 of %s above its threshold_1', rule.code);
    elsif
        threshold_2 is not null
        and (threshold_2 <= threshold_1 or threshold_2 > rule.greatest_2)
    then
        wanted := format(
            'threshold_2 of %s above its threshold_1 of %s and up to %s',
            rule.code, trim_scale(threshold_1), rule.greatest_2
        );
        found_text := trim_scale(threshold_2);
    elsif rule.needs_slots and (min_slots is null or not min_slots between 1 and 1500) then
        wanted := format('min_slots of %s between 1 and 1500', rule.code);
        found_text := min_slots;
    elsif not rule.needs_slots and min_slots is not null then
        wanted := format('no min_slots of %s, which has none', rule.code);
        found_text := min_slots;
    else
        return true;
    end if;
    raise exception using
        errcode = 'check_violation',
        message = format(
            'wanted %s; found %s; docs/rules.md says what each rule takes',
            wanted, coalesce(quote_literal(found_text), 'nothing')
        );
end
$$;

create table if not exists public.vee_rule (
    rule_code text not null,
    customer_class text not null default 'all',
    valid_from date not null default '1900-01-01',
    severity text not null,
    threshold_1 numeric(12, 6),
    threshold_2 numeric(12, 6),
    min_slots integer,
    is_active boolean not null default true,
    primary key (rule_code, customer_class, valid_from),
    constraint vee_rule_can_be_evaluated check (
        public.require_vee_rule(
            rule_code, customer_class, valid_from, severity, threshold_1, threshold_2, min_slots
        )
    )
);

-- A rule that has any row is the utility's own by now.
insert into public.vee_rule (rule_code, severity, threshold_1, threshold_2, min_slots)
select defaults.*
from (
    values
    ('R01', 'info', 0, null::numeric, null::integer),
    ('R02', 'info', 0, null, null),
    ('R05', 'soft', 1, null, null),
    ('R06', 'hard', 0, null, null),
    ('R07', 'soft', 1.1, 3, null),
    ('R15', 'hard', 400, 2500, 20),
    ('R16', 'hard', 3, null, 20),
    ('R17', 'hard', 5, null, null),
    ('R20', 'soft', null, null, null)
) as defaults (rule_code, severity, threshold_1, threshold_2, min_slots)
where not exists (select from public.vee_rule where vee_rule.rule_code = defaults.rule_code);

comment on table public.vee_rule is
'One row per rule, class of customers and first day: how values are validated from that day on.';
comment on column public.vee_rule.rule_code is 'Rule, as docs/rules.md lists them.';
comment on column public.vee_rule.customer_class is
'household or trade; all: each class that has no row of its own from that day on or earlier.';
comment on column public.vee_rule.valid_from is
'First local day on which the row holds, until the next one of its rule and class.';
comment on column public.vee_rule.severity is
'hard: the raw value is not used; soft: used and flagged; info: counted.';
comment on column public.vee_rule.threshold_1 is 'Limit of the rule; docs/rules.md has the units.';
comment on column public.vee_rule.threshold_2 is 'Second limit, of R07 and R15.';
comment on column public.vee_rule.min_slots is
'Least number of slots in a day that is judged, of R15 and R16.';
comment on column public.vee_rule.is_active is 'False: nothing is judged by the rule.';

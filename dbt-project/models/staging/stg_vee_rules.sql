{{ config(materialized='view') }}

with rules as (
    select * from {{ source('master_data', 'vee_rule') }}
),

rules_of_classes as (
    -- A meter without a customer has the rules of all.
    select
        rules.rule_code,
        names.rule_name,
        classes.customer_class,
        rules.severity,
        rules.threshold_1,
        rules.threshold_2,
        rules.min_slots,
        rules.is_active,
        rules.valid_from,
        rules.customer_class = classes.customer_class as is_own,
        min(if(rules.customer_class = classes.customer_class, rules.valid_from)) over (
            partition by rules.rule_code, classes.customer_class
        ) as first_own_day
    from rules
    cross join unnest(array['all', 'household', 'trade']) as classes (customer_class)
    cross join
        unnest(array[
            ('R01', 'DUPLICATE_EQUAL'),
            ('R02', 'CONFLICTING_VERSION'),
            ('R05', 'INTERVAL_SIZE'),
            ('R06', 'NEGATIVE'),
            ('R07', 'SERVICE_LIMIT'),
            ('R15', 'UNIT_FACTOR'),
            ('R16', 'MULTIPLIER'),
            ('R17', 'CLOCK_AHEAD'),
            ('R20', 'NO_INSTALLATION')
        ]) as names (rule_code, rule_name)
    where
        rules.rule_code = names.rule_code
        and rules.customer_class in (classes.customer_class, 'all')
),

stg_vee_rules as (
    -- A class has the rules of all until the first of its own.
    select
        rule_code,
        rule_name,
        customer_class,
        severity,
        threshold_1,
        threshold_2,
        min_slots,
        is_active,
        valid_from,
        lead(valid_from) over (
            partition by rule_code, customer_class order by valid_from
        ) as valid_to
    from rules_of_classes
    where is_own or coalesce(valid_from < first_own_day, true)
)

select * from stg_vee_rules

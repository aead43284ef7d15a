{{ config(materialized='view') }}

with rules as (
    select * from {{ source('master_data', 'vee_rule') }}
),

names (rule_code, rule_name) as (
    values
    ('R01', 'DUPLICATE_EQUAL'),
    ('R02', 'CONFLICTING_VERSION'),
    ('R05', 'INTERVAL_SIZE'),
    ('R06', 'NEGATIVE'),
    ('R07', 'SERVICE_LIMIT'),
    ('R15', 'UNIT_FACTOR'),
    ('R16', 'MULTIPLIER'),
    ('R17', 'CLOCK_AHEAD'),
    ('R20', 'NO_INSTALLATION')
),

classes (customer_class) as (
    -- A meter without a customer has the rules of all.
    values ('all'), ('household'), ('trade')
),

first_days as (
    select
        rule_code,
        customer_class,
        min(valid_from) as first_day
    from rules
    group by rule_code, customer_class
),

rules_of_classes as (
    -- A class has the rules of all until the first of its own.
    select
        rules.rule_code,
        classes.customer_class,
        rules.severity,
        rules.threshold_1,
        rules.threshold_2,
        rules.min_slots,
        rules.is_active,
        rules.valid_from
    from rules
    cross join classes
    left join first_days
        on
            rules.rule_code = first_days.rule_code
            and classes.customer_class = first_days.customer_class
    where
        rules.customer_class = classes.customer_class
        or (
            rules.customer_class = 'all'
            and coalesce(rules.valid_from < first_days.first_day, true)
        )
),

stg_vee_rules as (
    select
        rules_of_classes.rule_code,
        names.rule_name,
        rules_of_classes.customer_class,
        rules_of_classes.severity,
        rules_of_classes.threshold_1,
        rules_of_classes.threshold_2,
        rules_of_classes.min_slots,
        rules_of_classes.is_active,
        rules_of_classes.valid_from,
        lead(rules_of_classes.valid_from) over (
            partition by
                rules_of_classes.rule_code,
                rules_of_classes.customer_class
            order by rules_of_classes.valid_from
        ) as valid_to
    from rules_of_classes
    inner join names on rules_of_classes.rule_code = names.rule_code
)

select * from stg_vee_rules
